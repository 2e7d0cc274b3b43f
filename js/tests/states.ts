import type {
  ActiveRow,
  BoardState,
  DetailsState,
  HeaderState,
  HeadingState,
  ImageItem,
  MetricRow,
  MetricsControls,
  MetricsState,
  QueuedRow,
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
  ...change,
});

export const heading = (change: Partial<HeadingState> = {}): HeadingState => ({
  title: "train/loss",
  subtitle: null,
  last: 0.5,
  last_digits: 0,
  legend: [],
  notes: [],
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

export const image = (path: string, change: Partial<ImageItem> = {}): ImageItem => ({
  name: path,
  number: null,
  path,
  size: 4,
  logged_at: NOW,
  mime: "image/png",
  note: null,
  ...change,
});

export const details = (change: Partial<DetailsState> = {}): DetailsState => ({
  facts: [
    { label: "Run id", value: "digits_1" },
    { label: "Experiment", value: "digits" },
  ],
  started_at: NOW - 161,
  ended_at: null,
  tags: [
    { key: "model", value: "mlp" },
    { key: "baseline", value: null },
  ],
  properties: [{ key: "commit", value: "9fceb02" }],
  files: [{ path: "outputs/model.pkl", size: 1_234_567 }],
  files_total: 40,
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
