import type {
  ActiveRow,
  BoardState,
  DetailsState,
  GalleryState,
  HeaderState,
  HeadingState,
  MetricRow,
  MetricsControls,
  MetricsState,
  PictureReply,
  PreviewReply,
  QueuedRow,
  RowsReply,
  RunColumn,
  RunRow,
  RunsControls,
  RunsPatch,
  RunsState,
  TargetState,
} from "../src/wire";

export const NOW = 1_764_000_000;

export const header = (change: Partial<HeaderState> = {}): HeaderState => ({
  run_id: "digits_1",
  run_name: "mlp baseline",
  run_number: 17,
  experiment: "digits",
  status: "Running",
  status_group: "active",
  queue: null,
  started_at: NOW - 161,
  ended_at: null,
  sent_at: NOW,
  next_refresh_at: NOW + 8,
  refresh_seconds: null,
  progress: null,
  error: null,
  banner: null,
  can_cancel: true,
  open_children: 0,
  cancel_trouble: null,
  tabs: [
    { id: "metrics", title: "Metrics", count: 5, is_shown: true },
    { id: "children", title: "Child runs", count: 24, is_shown: true },
    { id: "details", title: "Details", count: null, is_shown: true },
  ],
  ...change,
});

export const metric = (name: string, change: Partial<MetricRow> = {}): MetricRow => ({
  name,
  column: null,
  kind: "numeric",
  last: 1,
  min: 0,
  max: 2,
  count: 3,
  nan_count: 0,
  inf_count: 0,
  spark: [0, 50, 100],
  ...change,
});

export const metrics = (rows: MetricRow[], change: Partial<MetricsState> = {}): MetricsState => ({
  version: 0,
  rows,
  total: rows.length,
  matching: rows.length,
  chart_count: rows.length,
  page: 0,
  page_count: 1,
  page_size: 12,
  ...change,
});

export const controls = (change: Partial<MetricsControls> = {}): MetricsControls => ({
  filter: "",
  smoothing: 0,
  x_axis: "step",
  y_scale: "linear",
  columns: 2,
  page: 0,
  linked: false,
  ...change,
});

export const heading = (change: Partial<HeadingState> = {}): HeadingState => ({
  title: "train/loss",
  subtitle: null,
  last: 0.5,
  last_digits: 0,
  legend: [],
  notes: [],
  is_zoomed: false,
  ...change,
});

export const runRow = (run_id: string, change: Partial<RunRow> = {}): RunRow => ({
  run_id,
  number: 1,
  name: run_id,
  status: "Completed",
  status_group: "done",
  started_at: NOW - 100,
  ended_at: NOW - 40,
  error: null,
  values: [],
  ...change,
});

export const runColumn = (name: string, source: RunColumn["source"] = "metric"): RunColumn => ({
  id: `${source} ${name}`,
  name,
  source,
  is_parameter: source !== "metric",
  goal: source !== "metric" ? null : name.includes("acc") ? "maximize" : "minimize",
});

export const runs = (rows: RunRow[], change: Partial<RunsState> = {}): RunsState => ({
  what: "child runs",
  seq: 1,
  columns: [],
  rows,
  total: rows.length,
  primary: null,
  sent_at: NOW,
  ...change,
});

export const runsPatch = (seq: number, rows: RunRow[], change: Partial<RunsPatch> = {}): RunsPatch => ({
  kind: "patch",
  seq,
  columns: null,
  rows,
  removed: [],
  total: rows.length,
  primary: null,
  sent_at: NOW,
  ...change,
});

export const runsControls = (change: Partial<RunsControls> = {}): RunsControls => ({
  filter: "",
  status: null,
  sort: null,
  columns: null,
  metric: null,
  goal: null,
  selected: [],
  ...change,
});

export const gallery = (counts: Record<string, number>, change: Partial<GalleryState> = {}): GalleryState => {
  const names = Object.entries(counts).map(([name, count]) => ({ name, count, logged_at: NOW }));
  const total = names.reduce((sum, { count }) => sum + count, 0);
  return { names, total_names: names.length, total, is_open: true, ...change };
};

export const picture = (change: Partial<PictureReply> = {}): PictureReply => ({
  kind: "picture",
  id: "",
  trouble: null,
  path: "a_1.png",
  size: 4,
  logged_at: NOW,
  mime: "image/png",
  width: 2,
  height: 1,
  note: null,
  may_pass: false,
  ...change,
});

export const preview = (change: Partial<PreviewReply> = {}): PreviewReply => ({
  kind: "preview",
  id: "",
  trouble: null,
  path: "outputs/notes.txt",
  size: 4,
  shown: "text",
  is_cut: false,
  encoding: "utf-8",
  mime: "",
  width: 0,
  height: 0,
  note: null,
  ...change,
});

export const rowsOf = (rows: RowsReply["rows"], change: Partial<RowsReply> = {}): RowsReply => ({
  kind: "rows",
  id: "",
  trouble: null,
  name: "m",
  columns: ["value"],
  start: 0,
  total: rows.length,
  rows,
  steps: rows.map(() => null),
  times: rows.map(() => NOW),
  history: null,
  ...change,
});

export const details = (change: Partial<DetailsState> = {}): DetailsState => ({
  facts: [
    { label: "Run id", value: "digits_1" },
    { label: "Experiment", value: "digits" },
  ],
  started_at: NOW - 161,
  ended_at: null,
  description: "",
  tags: [
    { key: "model", value: "mlp" },
    { key: "baseline", value: null },
  ],
  tags_total: 2,
  properties: [{ key: "commit", value: "9fceb02" }],
  properties_total: 1,
  timeline: [
    { status: "Queued", status_group: "waiting", at: NOW - 200 },
    { status: "Running", status_group: "active", at: NOW - 161 },
  ],
  error: null,
  git: [],
  is_dirty: null,
  diff: null,
  python: [],
  packages: null,
  submission: { facts: [], variables: [], packages: [] },
  snapshot: null,
  ...change,
});

const onBoard = (run_id: string) => ({
  run_id,
  run_name: `name of ${run_id}`,
  run_number: 1,
  experiment: "digits",
  owner: "ada",
  can_cancel: true,
  open_children: 0,
  cancel_trouble: null,
});

export const active = (run_id: string, change: Partial<ActiveRow> = {}): ActiveRow => ({
  ...onBoard(run_id),
  status: "Running",
  status_group: "active",
  started_at: NOW - 61,
  progress: null,
  ...change,
});

export const queued = (run_id: string, place: number, change: Partial<QueuedRow> = {}): QueuedRow => ({
  ...onBoard(run_id),
  status: "Queued",
  status_group: "waiting",
  place,
  priority: 0,
  queued_at: NOW - 5,
  ...change,
});

export const target = (change: Partial<TargetState> = {}): TargetState => ({
  id: "0",
  name: "gpu",
  kind: "local",
  workspace: null,
  slots: 4,
  taken: change.active?.length ?? 0,
  active: [],
  active_total: change.active?.length ?? 0,
  queued: [],
  queued_total: change.queued?.length ?? 0,
  trouble: null,
  ...change,
});

export const board = (targets: TargetState[], change: Partial<BoardState> = {}): BoardState => ({
  targets,
  open_run: null,
  sent_at: NOW,
  ...change,
});
