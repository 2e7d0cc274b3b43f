import { afterEach, expect, test, vi } from "vitest";
import golden from "../../tests/golden/wire.json";
import boardPanel from "../src/board";
import detailsPanel from "../src/details";
import differencesPanel from "../src/differences";
import evaluationPanel from "../src/evaluation";
import filesPanel from "../src/files";
import { exactText, formatValue } from "../src/format";
import headerPanel from "../src/header";
import headingPanel from "../src/heading";
import imagesPanel from "../src/images";
import logsPanel from "../src/logs";
import metricsPanel from "../src/metrics";
import popupPanel from "../src/popup";
import runsPanel from "../src/runs";
import sidesPanel from "../src/sides";
import type {
  BoardState,
  DetailsState,
  DifferencesState,
  DownloadReply,
  EvaluationState,
  FigureMessage,
  FileList,
  FilesState,
  GalleryState,
  HeaderState,
  HeadingState,
  LinesMessage,
  LogMessage,
  LogsControls,
  LogsState,
  MetricsControls,
  MetricsState,
  OverlayControls,
  OverlayState,
  PictureMessage,
  PictureReply,
  PopupState,
  PreviewReply,
  RowsReply,
  RunsControls,
  RunsPatch,
  RunsState,
  SidesControls,
  SidesState,
} from "../src/wire";
import { mount } from "./model";
import * as shapes from "./shapes";
import { bringIntoSight, layOut } from "./sizes";

afterEach(() => document.body.replaceChildren());

const SHAPES = {
  header: shapes.header,
  metrics: shapes.metrics,
  controls: shapes.controls,
  heading: shapes.heading,
  rows_reply: shapes.rows_reply,
  download_reply: shapes.download_reply,
  runs: shapes.runs,
  runs_patch: shapes.runs_patch,
  runs_controls: shapes.runs_controls,
  popup: shapes.popup,
  images: shapes.images,
  picture_reply: shapes.picture_reply,
  files: shapes.files,
  listing: shapes.listing,
  preview_reply: shapes.preview_reply,
  details: shapes.details,
  logs: shapes.logs,
  logs_controls: shapes.logs_controls,
  log_message: shapes.log_message,
  board: shapes.board,
  overlay: shapes.overlay,
  overlay_controls: shapes.overlay_controls,
  lines_message: shapes.lines_message,
  differences: shapes.differences,
  sides: shapes.sides,
  sides_controls: shapes.sides_controls,
  picture_message: shapes.picture_message,
  evaluation: shapes.evaluation,
  figure_messages: shapes.figure_messages,
};

/** Sound because the first test holds each state to its shape. */
const wire = golden as unknown as {
  header: HeaderState;
  metrics: MetricsState;
  controls: MetricsControls;
  heading: HeadingState;
  rows_reply: RowsReply;
  download_reply: DownloadReply;
  images: GalleryState;
  picture_reply: PictureReply;
  files: FilesState;
  listing: FileList;
  preview_reply: PreviewReply;
  runs: RunsState;
  runs_patch: RunsPatch;
  runs_controls: RunsControls;
  popup: PopupState;
  details: DetailsState;
  logs: LogsState;
  logs_controls: LogsControls;
  log_message: LogMessage;
  board: BoardState;
  overlay: OverlayState;
  overlay_controls: OverlayControls;
  lines_message: LinesMessage;
  differences: DifferencesState;
  sides: SidesState;
  sides_controls: SidesControls;
  picture_message: PictureMessage;
  evaluation: EvaluationState;
  figure_messages: FigureMessage[];
};

test("the example that Python writes holds exactly the states of wire.ts", () => {
  expect(Object.keys(golden).sort()).toEqual(Object.keys(SHAPES).sort());
});

test.each(Object.entries(SHAPES))("the %s that Python writes has the shape of wire.ts", (name, shape) => {
  expect(shape.check(golden[name as keyof typeof golden], name)).toEqual([]);
});

test("a missing key, an unknown key, another type and an unknown word are each found", () => {
  const { filter: _, ...rest } = wire.controls;
  const drifted = { ...rest, page: "0", x_axis: "epoch", zoom: 1 };
  expect(shapes.controls.check(drifted, "controls")).toEqual([
    "controls.filter is missing",
    "controls.x_axis is epoch",
    "controls.page is not a number",
    "controls.zoom is not in wire.ts",
  ]);
});

test("the header shows Python's example", () => {
  const { find, all } = mount(headerPanel, { state: wire.header, selected_index: 0, time_zone: "UTC" });
  expect(find(".rw-status").textContent).toBe(wire.header.status);
  expect(find(".rw-run").textContent).toBe(wire.header.run_name);
  expect(all("[role=tab]")).toHaveLength(wire.header.tabs.length);
});

test("the metrics show Python's example", () => {
  const { all, texts } = mount(metricsPanel, {
    state: wire.metrics,
    controls: { ...wire.controls, filter: "" },
  });
  expect(all("tbody tr")).toHaveLength(wire.metrics.rows.length);
  expect(texts("tbody td:nth-child(2)")).toEqual(wire.metrics.rows.map(({ last }) => formatValue(last)));
  expect(all("tbody td:nth-child(2)").map((cell) => cell.title)).toEqual(
    wire.metrics.rows.map(({ last }) => exactText(last)),
  );
});

test("the heading shows Python's example", () => {
  const { find, all } = mount(headingPanel, { state: wire.heading });
  expect(find(".rw-chart-title").textContent).toBe(wire.heading.title);
  expect(all(".rw-legend")).toHaveLength(wire.heading.legend.length);
});

test("the child runs show Python's example, and what changed after it", () => {
  const controls = { ...wire.runs_controls, status: null, sort: null };
  const { model, texts } = mount(runsPanel(), { state: wire.runs, controls });
  expect(texts("[role=rowheader]")).toEqual(wire.runs.rows.map(({ name }) => name));
  expect(texts(".rw-sort-title")).toEqual(["#", "name", "status", "mse", "best so far", "model"]);
  model.receive(wire.runs_patch);
  expect(texts(".rw-grid-body .rw-status")).toEqual(["Completed", "Failed"]);
});

test("the pop-up's bar shows Python's example", () => {
  const { find } = mount(popupPanel, { state: wire.popup });
  expect(find(".rw-popup-name").textContent).toBe(wire.popup.run_name);
  expect(find("[role=alert]").textContent).toContain(wire.popup.trouble);
});

test("the images show Python's example", () => {
  const { texts } = mount(imagesPanel, { state: wire.images });
  expect(texts(".rw-image-name")).toEqual(wire.images.names.map(({ name }) => name));
});

test("the files show Python's example", () => {
  const { texts } = mount(filesPanel, { state: wire.files, listing: wire.listing });
  expect(texts("[role=treeitem] .rw-tree-name")).toEqual([
    "environment/",
    "uncommitted.diff",
    "outputs/",
    "model.pkl",
  ]);
});

test("the details show Python's example", () => {
  const { texts } = mount(detailsPanel, { state: wire.details });
  const { facts, git, python, submission, timeline } = wire.details;
  const labels = (of: { label: string }[]) => of.map(({ label }) => label);
  expect(texts("dt")).toEqual([
    ...labels(facts),
    "Started",
    ...labels(submission.facts),
    ...labels(git),
    ...labels(python),
    "Snapshot",
  ]);
  expect(texts(".rw-tag")).toHaveLength(wire.details.tags.length);
  expect(texts(".rw-timeline .rw-status-word")).toEqual(timeline.map(({ status }) => status));
});

test("the logs show Python's example", () => {
  const { model, texts, find } = mount(logsPanel, { state: wire.logs, controls: wire.logs_controls });
  expect(texts("option")).toEqual(wire.logs.logs);
  const { name, start, end } = wire.log_message;
  expect(model.send).toHaveBeenCalledWith({ kind: "log", name, before: null });
  const bytes = new TextEncoder().encode("x".repeat(end - start));
  model.receive(wire.log_message, [new DataView(bytes.buffer)]);
  expect(find(".rw-log").textContent).toBe("x".repeat(end - start));
});

test("the board shows Python's example", () => {
  const { texts } = mount(boardPanel, { state: wire.board });
  expect(texts(".rw-target-name")).toEqual(wire.board.targets.map(({ name }) => name));
  const [busy] = wire.board.targets;
  expect(texts(".rw-job-name")).toEqual(
    [...(busy?.active ?? []), ...(busy?.queued ?? [])].map(({ run_name }) => run_name),
  );
  expect(texts(".rw-banner-warning:not([hidden]) .rw-banner-text")).toContain(wire.board.targets[1]?.trouble);
});

test("the differences show Python's example", () => {
  const { all, texts } = mount(differencesPanel, { state: wire.differences });
  expect(texts(".rw-sort-title").slice(1)).toEqual(wire.differences.runs.map(({ name }) => name));
  expect(all("tbody tr")).toHaveLength(wire.differences.differing);
});

test("the images side by side show Python's example", () => {
  const { texts } = mount(sidesPanel(), { state: wire.sides, controls: wire.sides_controls });
  expect(texts(".rw-image-name")).toEqual(wire.sides.sides.map(({ label }) => label));
});

test("the evaluation shows Python's example", () => {
  layOut();
  const { model, texts, all } = mount(evaluationPanel, { state: wire.evaluation });
  expect(texts(".rw-card-title")).toEqual(wire.evaluation.documents.map(({ name }) => name));
  bringIntoSight();
  const latest = wire.evaluation.documents.map(({ logged }) => ({
    kind: "figure",
    path: logged.at(-1)?.path,
  }));
  expect(model.send.mock.calls.map(([request]) => request)).toEqual(latest);
  for (const message of wire.figure_messages) model.receive(message);
  expect(all(".rw-card-yet")).toHaveLength(0);
  expect(texts(".rw-figure-trouble:not([hidden])")).toEqual(["the file is not there"]);
  vi.unstubAllGlobals();
});
