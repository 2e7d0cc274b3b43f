/**
 * What crosses the wire between `runwidgets/widgets/panels.py` and the panels of this folder.
 *
 * One interface per synced `state` trait, snake_case on both sides, no renaming layer. Python owns every
 * `state` and `data` trait; the browser owns `controls` and `selected_index` and sends messages. The file
 * `tests/golden/wire.json` holds one example of each state; pytest builds it and vitest reads it, so the
 * two sides cannot drift unseen.
 *
 * `*_at` are UTC epoch seconds, `*_seconds` and `seconds_*` are spans in seconds.
 */

/** A logged value. JSON has no NaN and JavaScript no 64-bit integer, so those travel wrapped. */
export type Value =
  | number
  | string
  | boolean
  | null
  | { float: "NaN" | "Infinity" | "-Infinity" }
  | { int: string };

/** What a status means to a person; `status` itself is the word shown. */
export type StatusGroup = "waiting" | "active" | "done" | "failed" | "canceled" | "silent";

export interface Progress {
  done: number;
  total: number | null;
  unit: string;
  seconds_left: number | null;
  /** Whether the run did not report it: it was read in what the script prints. */
  is_from_output: boolean;
}

export interface RunError {
  code: string;
  message: string;
  traceback: string | null;
}

export interface Tab {
  id: "metrics" | "children" | "images" | "files" | "details" | "logs" | "system" | "evaluation";
  title: string;
  count: number | null;
  /** A tab that is not shown keeps its place: tabs are chosen by it. */
  is_shown: boolean;
}

/** What a run says of being canceled. */
export interface Cancelable {
  can_cancel: boolean;
  /** How many child runs have not ended, and are canceled with it. */
  open_children: number;
  /** Why it could not be canceled. */
  cancel_trouble: string | null;
}

/** `HeaderPanel.state`. The browser ticks elapsed time and countdown itself, from the kernel's clock (`sent_at`). */
export interface HeaderState extends Cancelable {
  run_id: string;
  run_name: string;
  run_number: number | null;
  experiment: string;
  status: string;
  status_group: StatusGroup;
  /** What the queue says of a run that waits in it. */
  queue: string | null;
  started_at: number | null;
  ended_at: number | null;
  sent_at: number;
  next_refresh_at: number | null;
  /** How often Python looks. Where a look finds nothing new, nothing is sent. */
  refresh_seconds: number | null;
  progress: Progress | null;
  error: RunError | null;
  /** Why the display could not be refreshed; the rest of the state is then the last good one. */
  banner: string | null;
  tabs: Tab[];
}

/** A message of the header to Python. */
export interface RefreshMessage {
  kind: "refresh";
}

/** A message of the header to Python. */
export interface CancelMessage {
  kind: "cancel";
}

/** One column of one metric. `spark` holds up to 48 heights from 0 to 100, null where a value is not finite. */
export interface MetricRow {
  name: string;
  /** The column of a table metric; null for a vector. */
  column: string | null;
  /** Text columns (strings, booleans) have no min, max, spark. */
  kind: "numeric" | "text";
  last: Value;
  min: Value;
  max: Value;
  count: number;
  nan_count: number;
  inf_count: number;
  spark: (number | null)[];
}

/** `MetricsPanel.state`. `rows` are the rows that match the filter, at most 500; charts come in pages. */
export interface MetricsState {
  /** Rises by one at each change. */
  version: number;
  rows: MetricRow[];
  total: number;
  matching: number;
  chart_count: number;
  page: number;
  page_count: number;
  page_size: number;
}

/** What is new of `MetricsState`, sent instead of it: the rows that changed, each with its place among `rows`. */
export interface MetricsPatch extends Omit<MetricsState, "rows" | "page_size"> {
  kind: "patch";
  rows: [number, MetricRow][];
}

/** A message of the metrics to Python: a patch did not fit, all is to be sent again. */
export interface WholeRequest {
  kind: "whole";
}

export type XAxis = "step" | "index" | "time" | "relative";
export type YScale = "linear" | "log";

/** `MetricsPanel.controls`: set by the browser as one object, obeyed by Python. */
export interface MetricsControls {
  filter: string;
  /** 0 (none) to 0.99: weight of the past in a debiased exponential moving average. */
  smoothing: number;
  x_axis: XAxis;
  y_scale: YScale;
  columns: 1 | 2 | 3;
  /** First page is 0. */
  page: number;
  /** Whether a range of x that is chosen on one chart is that of all charts. */
  linked: boolean;
}

/** What all requests of a panel to Python have: the answer bears the same `kind` and `id`, and goes to all views. */
export interface Asked {
  kind: string;
  id: string;
}

/** What all answers have. */
export interface Reply extends Asked {
  /** Why there is nothing else in it; null where all is well. */
  trouble: string | null;
}

/** Asks for rows of a metric, from a place on; with null for its last page. */
export interface RowsRequest {
  kind: "rows";
  name: string;
  start: number | null;
}

/** How often a metric was this. */
export interface Word {
  value: Value;
  count: number;
}

/** What a vector of words or booleans has been. */
export interface History {
  /** The most frequent ones. */
  words: Word[];
  others: number;
  /** Of booleans: which share was True, in parts of equal length from the first to the last; else empty. */
  truth: (number | null)[];
}

export interface RowsReply extends Reply {
  name: string;
  columns: string[];
  start: number;
  /** How many rows the metric has. */
  total: number;
  rows: Value[][];
  /** One for each row, null where none was given. */
  steps: Value[];
  times: number[];
  history: History | null;
}

/** Asks for a part of a file, which is the answer's buffer: first for that at 0, with a `download` of its own. */
export interface DownloadRequest {
  kind: "download";
  download: string;
  what: "file" | "image" | "metric" | "snapshot";
  name: string;
  start: number;
}

export interface DownloadReply extends Reply {
  start: number;
  end: number;
  /** Of the file as it was at the first part. */
  size: number;
}

/** `ChartHeading.state`: the line of text above one chart. */
export interface HeadingState {
  title: string;
  /** What the chart shows over what, such as "sine over angle"; null for a vector. */
  subtitle: string | null;
  last: Value;
  /** How many digits of `last` tell it from its neighbours on the y axis; 0 where that is not known. */
  last_digits: number;
  /** The lines of the chart with their colours, in order; empty where there is one line. */
  legend: { label: string; color: string }[];
  /** Each with a sign before it: "⚠ values ≤ 0 are not shown", or that of the marks it explains: "◆ 3 NaN". */
  notes: string[];
  /** Whether a part of x that was chosen is shown. */
  is_zoomed: boolean;
}

/** A message of a heading to Python: show the whole chart again. */
export interface ResetMessage {
  kind: "reset";
}

/** One chart as the lens needs to know it. Ranges go from the left end to the right, from the bottom to the top. */
export interface LensChart {
  name: string;
  /** Of its lines, in order, where there are several. */
  labels: string[];
  /** The id of the bqplot figure's model; null as long as the chart is not drawn. */
  figure: string | null;
  /** Of times seconds. */
  x: [number, number];
  /** In the numbers of the figure's lines, of times milliseconds by the clock of who looks; null where these are the same. */
  drawn_x: [number, number] | null;
  y: [number, number];
  is_log: boolean;
  x_label: string;
  x_is_date: boolean;
  /** Whether lines may come back: one column of a table over another. */
  is_curve: boolean;
  is_zoomed: boolean;
}

export type GridId = "metrics" | "system";

/** `LensPanel.state`: the charts of each grid, by their places. */
export type LensState = Record<GridId, LensChart[]>;

/** A message of the lens to Python: which part of a chart to show; null and null for the whole. */
export interface ZoomRequest {
  kind: "zoom";
  grid: GridId;
  place: number;
  name: string;
  low: number | null;
  high: number | null;
}

/** A message of the lens to Python: the places of the charts that can be seen in this view. */
export interface SightMessage extends Record<GridId, number[]> {
  kind: "sight";
  /** Tells the views of one model apart. */
  view: string;
  /** Whether the page is behind others. */
  is_hidden: boolean;
}

/** A message of the lens to Python: this view is gone. */
export interface GoneMessage {
  kind: "gone";
  view: string;
}

/** A column of values that runs have: what they were started with, or what they logged. */
export interface RunColumn {
  id: string;
  name: string;
  source: "argument" | "tag" | "property" | "metric";
  /** Whether it tells runs apart before they have begun; a metric may, that each run logged once. */
  is_parameter: boolean;
  /** Which end of a metric its name suggests to be the good one; null for what is no metric. */
  goal: Goal | null;
}

export interface RunRow {
  run_id: string;
  number: number | null;
  name: string;
  status: string;
  status_group: StatusGroup;
  started_at: number | null;
  ended_at: number | null;
  /** Why it failed. */
  error: string | null;
  /** Last values by place of `RunsState.columns`; null, or missing at the end, where the run has none. */
  values: Value[];
}

export type Goal = "minimize" | "maximize";

/** The metric that runs are compared by, and which end of it is the good one. */
export interface Primary {
  name: string;
  goal: Goal;
}

/** What a patch brings anew each time. */
interface RunsNews {
  /** Number of the last patch. */
  seq: number;
  /** How many runs there are, those that are not listed among them. */
  total: number;
  /** What is compared where the browser has chosen nothing else. */
  primary: Primary | null;
  sent_at: number;
}

/** `RunsPanel.state`, in the order in which runs were created; columns are only ever added, at the end. */
export interface RunsState extends RunsNews {
  /** What the runs are called, in the plural. */
  what: string;
  columns: RunColumn[];
  rows: RunRow[];
}

/** A message to the table of runs: what changed. One that does not follow on the number before it is of no use. */
export interface RunsPatch extends RunsNews {
  kind: "patch";
  /** All columns; null where they did not change. */
  columns: RunColumn[] | null;
  rows: RunRow[];
  removed: string[];
}

export interface Sorting {
  id: string;
  direction: "ascending" | "descending";
}

/** `RunsPanel.controls`: set by the browser as one object; Python takes from it what is selected. */
export interface RunsControls {
  filter: string;
  status: StatusGroup | null;
  /** By the id of a column; null for the order of creation. */
  sort: Sorting | null;
  /** Ids of the columns that are shown; null for a choice by what there is. */
  columns: string[] | null;
  /** Name of the metric to compare by; null for that of the state. */
  metric: string | null;
  goal: Goal | null;
  /** Ids of runs. */
  selected: string[];
}

/** Messages of a table of runs to Python: show a run in a pop-up, and which patch is known here. */
export type RunsMessage = { kind: "open"; run_id: string; name: string } | { kind: "have"; seq: number };

/** `PopupBar.state`: the bar above the display of a run over the table that it is a row of. */
export interface PopupState {
  run_id: string;
  run_name: string;
  /** Why the run cannot be shown. */
  trouble: string | null;
}

/** The images of one name. */
export interface ImageName {
  name: string;
  count: number;
  /** When the last was logged. */
  logged_at: number;
}

/** `ImagesPanel.state`. */
export interface GalleryState {
  names: ImageName[];
  total_names: number;
  total: number;
  is_open: boolean;
}

/** Asks for one image, which is the answer's buffer. */
export interface PictureRequest {
  kind: "picture";
  name: string;
  /** The how manieth of its name, from 0. */
  index: number;
}

export interface PictureReply extends Reply {
  path: string;
  size: number;
  logged_at: number;
  /** image/png, image/jpeg, image/gif, image/webp or image/bmp: the only kinds that are shown. */
  mime: string;
  width: number;
  height: number;
  /** Why the image is not shown; null where the buffer has it. */
  note: string | null;
  /** Whether it may be there at another time. */
  may_pass: boolean;
}

/** `FilesPanel.state`. */
export interface FilesState {
  total: number;
  /** Up to which message files have been listed; 0 before the first. */
  seq: number;
  is_open: boolean;
}

/** `FilesPanel.listing`, as of when the view was made: paths and sizes. */
export interface FileList {
  seq: number;
  files: [string, number][];
}

/** Files that are new, or of another size. */
export interface FilesMessage extends FileList {
  kind: "files";
}

/** Asks for the beginning of a file. */
export interface PreviewRequest {
  kind: "preview";
  path: string;
}

/** The beginning of a file: what is shown of it is the buffer. */
export interface PreviewReply extends Reply {
  path: string;
  size: number;
  shown: "text" | "json" | "table" | "diff" | "image" | "binary" | "empty";
  /** Whether the file goes on. */
  is_cut: boolean;
  /** Of a text, by the name that browsers have for it. */
  encoding: string;
  mime: string;
  width: number;
  height: number;
  /** Why an image is not shown. */
  note: string | null;
}

export interface Fact {
  label: string;
  value: string;
}

export interface Tag {
  key: string;
  value: string | null;
}

/** A run entered a state. */
export interface Change {
  status: string;
  status_group: StatusGroup;
  at: number;
}

/** A text among the run's files. */
export interface KeptText {
  path: string;
  size: number;
}

/** What a submitted run was to do. */
export interface Submission {
  facts: Fact[];
  /** Environment variables, without a value where it may be a secret. */
  variables: { key: string; value: string | null }[];
  /** What its environment asks for. */
  packages: string[];
}

/** `DetailsPanel.state`. */
export interface DetailsState {
  facts: Fact[];
  started_at: number | null;
  ended_at: number | null;
  description: string;
  tags: Tag[];
  tags_total: number;
  properties: Tag[];
  properties_total: number;
  timeline: Change[];
  error: RunError | null;
  git: Fact[];
  is_dirty: boolean | null;
  diff: KeptText | null;
  python: Fact[];
  packages: KeptText | null;
  submission: Submission;
  /** The snapshot's id. */
  snapshot: string | null;
}

/** Sets a tag in the place of another, or of none; without a key it takes one away. */
export interface TagRequest {
  kind: "tag";
  before: string | null;
  key: string | null;
  value: string | null;
}

/** `LogsPanel.state`: the names of the logs, in the order in which they are offered. */
export interface LogsState {
  logs: string[];
  /** Whether the tab is the open one: only then is the log followed. */
  is_open: boolean;
}

/** `LogsPanel.controls`: set by the browser as one object, obeyed by Python. */
export interface LogsControls {
  /** Which log is shown; null for the first. */
  name: string | null;
  wrap: boolean;
}

/** A message of the logs to Python: which part to answer with, the last before a place or, with null, the end. */
export interface LogRequest {
  kind: "log";
  name: string;
  before: number | null;
}

/** Asks for a log as a file, in an answer of the same kind. */
export interface LogDownloadRequest {
  kind: "download";
  name: string;
}

/** A part of a log, sent to all views: asked for, or new. Its bytes, from `start` to `end`, are the message's buffer. */
export interface LogMessage {
  kind: "log" | "download";
  name: string;
  /** Another number is another content: the log has begun anew. */
  content: number;
  start: number;
  end: number;
  /** How large the log is. */
  size: number;
  /** Why it could not be read; null where all is well. */
  trouble: string | null;
}

/** One document that was logged. */
export interface Logged {
  path: string;
  logged_at: number;
}

/** A metric whose values are documents, the last ones of them; `first` is the number of the first, from 1. */
export interface Evaluation {
  name: string;
  kind: "accuracy_table" | "confusion_matrix" | "residuals" | "predictions";
  first: number;
  logged: Logged[];
}

/** `EvaluationPanel.state`. What is in the documents is asked for. */
export interface EvaluationState {
  documents: Evaluation[];
  total: number;
}

/** A message of the evaluation to Python: which document to answer with. */
export interface FigureRequest {
  kind: "figure";
  path: string;
}

/** The answer, sent to all views of the panel; if it is not final, the next may be another. */
export interface FigureMessage {
  kind: "figure";
  path: string;
  figure: Figure;
  is_final: boolean;
}

export type Figure = Confusion | Curves | Residuals | Predictions | Refused;

/** A row of the matrix is a true class. Null stands for what is not finite, or not defined. */
export interface Confusion {
  kind: "confusion_matrix";
  labels: string[];
  matrix: (number | null)[][];
  row_totals: number[];
  precision: (number | null)[];
  recall: (number | null)[];
  f1: (number | null)[];
  total: number;
  accuracy: number | null;
  note: string | null;
}

export interface Curve {
  label: string;
  /** Whether it is of all classes; else of one. */
  is_average: boolean;
  score: number | null;
  x: number[];
  y: number[];
}

export interface CurveChart {
  id: "roc" | "precision_recall" | "gain" | "lift" | "calibration";
  /** What the scores of its curves are, as "AUC"; empty where they have none. */
  score_name: string;
  curves: Curve[];
}

export interface Curves {
  kind: "accuracy_table";
  rows: number;
  classes: number;
  charts: CurveChart[];
  note: string | null;
}

/** A histogram: one more edge than counts. */
export interface Residuals {
  kind: "residuals";
  edges: number[];
  counts: number[];
  total: number;
  mean: number | null;
  std: number | null;
  note: string | null;
}

/** Mean prediction in bins of true values, and one error below and above it. */
export interface Predictions {
  kind: "predictions";
  edges: number[];
  x: number[];
  mean: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  counts: number[];
  note: string | null;
}

/** A document that is not drawn, and why. */
export interface Refused {
  kind: "refused";
  note: string;
}

/** A run on the board. */
export interface BoardRow extends Cancelable {
  run_id: string;
  run_name: string;
  run_number: number | null;
  experiment: string;
  status: string;
  status_group: StatusGroup;
  /** The user who submitted it; empty where that is not known. */
  owner: string;
}

/** A run that has a slot. */
export interface ActiveRow extends BoardRow {
  started_at: number | null;
  progress: Progress | null;
}

/** A run that waits for a slot. */
export interface QueuedRow extends BoardRow {
  /** Its place in the queue, from 1. */
  place: number;
  priority: number;
  queued_at: number;
}

/** One compute target. Of each part only the first runs are listed; the totals count all. */
export interface TargetState {
  id: string;
  name: string;
  kind: string;
  /** Where it is, if the board has targets of several workspaces. */
  workspace: string | null;
  slots: number;
  taken: number;
  active: ActiveRow[];
  active_total: number;
  queued: QueuedRow[];
  queued_total: number;
  /** Why it could not be looked at; the rest is then what was seen last. */
  trouble: string | null;
}

export interface OpenRun {
  run_id: string;
  run_name: string;
}

/** `BoardPanel.state`. */
export interface BoardState {
  targets: TargetState[];
  /** The run whose details are shown below the board. */
  open_run: OpenRun | null;
  sent_at: number;
}

/** Messages of the board to Python: cancel a run, show its details below, show them no more. */
export type BoardMessage =
  | { kind: "cancel" | "details"; run_id: string }
  | { kind: "close" }
  /** Whether the page of one view can be seen; a view names itself at random. */
  | { kind: "sight"; view: string; hidden: boolean };

/** One line of an overlay: a run, or a group of them. */
export interface OverlayLine {
  id: string;
  label: string;
  /** Its place among the colours, which it keeps while it is there. */
  slot: number;
  /** How many rows each of its points stands for. */
  width: number;
  /** How many runs it is of. */
  runs: number;
}

export type OverlayAxis = "step" | "index" | "relative";

/** `OverlayPanel.state`. The points are in the trait `lines`, and come as messages. */
export interface OverlayState {
  /** Whether lines are runs, or groups of them: then each has a mean and a band. */
  kind: "runs" | "groups";
  /** The metric that is shown; null where there is none. */
  metric: string | null;
  /** By what the runs are grouped: the id of one of `groupings`, or null. */
  group_by: string | null;
  /** What x is in groups. */
  x_axis: OverlayAxis;
  /** Where no row has a step, an axis of steps counts rows. */
  has_steps: boolean;
  lines: OverlayLine[];
  /** By what the runs can be grouped. */
  groupings: { id: string; label: string }[];
  /** How many runs were chosen. */
  chosen: number;
  notes: string[];
  /** Why the runs could not be read; the rest is then the last good one. */
  trouble: string | null;
}

/** `OverlayPanel.controls`: set by the browser as one object. Scale and smoothing are the browser's alone. */
export interface OverlayControls {
  /** A metric, or null for the usual one. */
  metric: string | null;
  group_by: string | null;
  x_axis: OverlayAxis;
  y_scale: YScale;
  /** As `MetricsControls.smoothing`. */
  smoothing: number;
}

/** How a line changes: so many of its points stay, and so many come. Lines that are not named are gone. */
export interface LineItem {
  id: string;
  keep: number;
  add: number;
}

/**
 * New points. The buffer has those that come, line after line, each as four rows of float64: of a run index, step,
 * seconds since its start and y; of a group x, mean, least and greatest.
 */
export interface LinesMessage {
  kind: "lines";
  /** One more than that of the message before. */
  sequence: number;
  items: LineItem[];
}

/** `OverlayPanel.lines`: what a message would hold that brings all points. */
export interface AllLines {
  sequence: number;
  items: LineItem[];
  data: DataView;
}

/** A message of the overlay to Python: which points it has. */
export interface HaveMessage {
  kind: "have";
  sequence: number;
}

/** One parameter of several runs. */
export interface DifferenceRow {
  /** What it is: a tag, an argument, a package … */
  kind: string;
  name: string;
  /** One for each run; null where a run has none. */
  values: Value[];
  differs: boolean;
}

/** `DifferencesPanel.state`. */
export interface DifferencesState {
  runs: { id: string; name: string }[];
  rows: DifferenceRow[];
  /** In how many parameters the runs differ. */
  differing: number;
  /** How many parameters there are; `rows` may be fewer. */
  total: number;
  /** How many runs were chosen; `runs` may be fewer. */
  run_total: number;
  trouble: string | null;
}

/** The image of one run. */
export interface Side {
  /** The run. */
  id: string;
  label: string;
  /** The how manieth of its name, from 1. */
  number: number;
  /** How many of that name the run has. */
  count: number;
  logged_at: number | null;
  /** What to ask for its bytes by; null where it is not shown. */
  key: string | null;
  /** image/png, image/jpeg, image/gif, image/webp or image/bmp: the only kinds that are shown. */
  mime: string;
  size: number;
  /** Why it is not shown. */
  note: string | null;
}

/** `SidesPanel.state`. */
export interface SidesState {
  names: string[];
  name: string | null;
  /** Which number was asked for; a run that has fewer shows its last. */
  number: number;
  /** The greatest number that a run has. */
  most: number;
  sides: Side[];
  notes: string[];
  trouble: string | null;
}

/** `SidesPanel.controls`: set by the browser as one object, obeyed by Python. */
export interface SidesControls {
  name: string | null;
  /** null for the last. */
  number: number | null;
}

/** Asks for an image, in an answer of kind `picture`. */
export interface WantMessage {
  kind: "want";
  key: string;
}

/** An image: its bytes are the message's buffer. */
export interface PictureMessage {
  kind: "picture";
  key: string;
  mime: string;
}

/** A run in an overview; `href` is where its page is, in the portal. */
export interface OverviewRun {
  workspace: string;
  experiment: string;
  run_id: string;
  number: number | null;
  name: string;
  status: string;
  status_group: StatusGroup;
  started_at: number | null;
  ended_at: number | null;
  href: string | null;
}

export interface OverviewExperiment {
  workspace: string;
  name: string;
  run_count: number;
  running: number;
  last_at: number | null;
  is_archived: boolean;
  href: string | null;
}

export interface OverviewWorkspace {
  name: string;
  href: string | null;
  compute_href: string | null;
  /** Why it could not be looked at. */
  trouble: string | null;
}

/** `HomePanel.state`. */
export interface OverviewState {
  workspaces: OverviewWorkspace[];
  experiments: OverviewExperiment[];
  experiments_total: number;
  running: OverviewRun[];
  running_total: number;
  recent: OverviewRun[];
  sent_at: number;
}

/** What `HomePanel` answers to `{ kind: "search", text }`. */
export interface FoundMessage {
  kind: "found";
  text: string;
  runs: OverviewRun[];
  is_all: boolean;
  trouble?: string;
}
