/**
 * The shapes of `src/wire.ts` as values, because JSON that is imported forgets its literal types. `Checked<T>`
 * ties the two: a key that one side lacks, or an enum word that is not in the type, does not compile.
 */

import type {
  ActiveRow,
  BoardState,
  Change,
  Confusion,
  Curve,
  CurveChart,
  Curves,
  DetailsState,
  DifferenceRow,
  DifferencesState,
  DownloadReply,
  Evaluation,
  EvaluationState,
  Fact,
  Figure,
  FigureMessage,
  FileList,
  FilesState,
  GalleryState,
  Goal,
  HeaderState,
  HeadingState,
  History,
  ImageName,
  KeptText,
  LineItem,
  LinesMessage,
  Logged,
  LogMessage,
  LogsControls,
  LogsState,
  MetricRow,
  MetricsControls,
  MetricsState,
  OpenRun,
  OverlayAxis,
  OverlayControls,
  OverlayLine,
  OverlayState,
  PictureMessage,
  PictureReply,
  PopupState,
  Predictions,
  PreviewReply,
  Primary,
  Progress,
  QueuedRow,
  Refused,
  Residuals,
  RowsReply,
  RunColumn,
  RunError,
  RunRow,
  RunsControls,
  RunsPatch,
  RunsState,
  Side,
  SidesControls,
  SidesState,
  Sorting,
  StatusGroup,
  Submission,
  Tab,
  Tag,
  TargetState,
  Value,
  Word,
  XAxis,
  YScale,
} from "../src/wire";

/** Says what is wrong, with the path to it; nothing where all is right. */
type Check = (value: unknown, path: string) => string[];

/** Carries the very type it checks, neither wider nor narrower: a function type is invariant. */
interface Checked<T> {
  check: Check;
  readonly of?: (value: T) => T;
}

const checked = <T>(check: Check): Checked<T> => ({ check });

function primitive<T>(name: "string" | "number" | "boolean"): Checked<T> {
  return checked((value, path) => {
    return typeof value === name ? [] : [`${path} is not a ${name}`];
  });
}

const string = primitive<string>("string");
const number = primitive<number>("number");
const boolean = primitive<boolean>("boolean");

const maybe = <T>(inner: Checked<T>): Checked<T | null> =>
  checked((value, path) => (value === null ? [] : inner.check(value, path)));

const list = <T>(inner: Checked<T>): Checked<T[]> =>
  checked((value, path) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => inner.check(item, `${path}[${index}]`))
      : [`${path} is not a list`],
  );

/** All words of an enum: the record has to name each of them. */
const word = <T extends string | number>(words: Record<T, true>): Checked<T> =>
  checked((value, path) => (Object.hasOwn(words, String(value)) ? [] : [`${path} is ${String(value)}`]));

/** Exactly these keys, no more and no fewer. */
const exact = <T extends object>(fields: { [K in keyof T]-?: Checked<T[K]> }): Checked<T> =>
  checked((value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${path} is no object`];
    const entries = value as Record<string, unknown>;
    const known = Object.entries<{ check: Check }>(fields);
    const wrong = known.flatMap(([key, field]) =>
      Object.hasOwn(entries, key)
        ? field.check(entries[key], `${path}.${key}`)
        : [`${path}.${key} is missing`],
    );
    const extra = Object.keys(entries).filter((key) => !Object.hasOwn(fields, key));
    return [...wrong, ...extra.map((key) => `${path}.${key} is not in wire.ts`)];
  });

const wrappedInt = exact<{ int: string }>({ int: string });
const wrappedFloat = exact<{ float: "NaN" | "Infinity" | "-Infinity" }>({
  float: word({ NaN: true, Infinity: true, "-Infinity": true }),
});
const value = checked<Value>((x, path) => {
  if (x === null || ["number", "string", "boolean"].includes(typeof x)) return [];
  const asInt = wrappedInt.check(x, path);
  return asInt.length === 0 || wrappedFloat.check(x, path).length === 0 ? [] : [`${path} is no Value`];
});

const statusGroup = word<StatusGroup>({
  waiting: true,
  active: true,
  done: true,
  failed: true,
  canceled: true,
  silent: true,
});

const progress = exact<Progress>({
  done: number,
  total: maybe(number),
  unit: string,
  seconds_left: maybe(number),
  is_from_output: boolean,
});

export const header = exact<HeaderState>({
  run_id: string,
  run_name: string,
  run_number: maybe(number),
  experiment: string,
  status: string,
  status_group: statusGroup,
  queue: maybe(string),
  started_at: maybe(number),
  ended_at: maybe(number),
  sent_at: number,
  next_refresh_at: maybe(number),
  refresh_seconds: maybe(number),
  progress: maybe(progress),
  error: maybe(exact<RunError>({ code: string, message: string, traceback: maybe(string) })),
  banner: maybe(string),
  can_cancel: boolean,
  open_children: number,
  cancel_trouble: maybe(string),
  tabs: list(
    exact<Tab>({
      id: word<Tab["id"]>({
        metrics: true,
        children: true,
        images: true,
        files: true,
        details: true,
        logs: true,
        system: true,
        evaluation: true,
      }),
      title: string,
      count: maybe(number),
      is_shown: boolean,
    }),
  ),
});

export const metrics = exact<MetricsState>({
  version: number,
  rows: list(
    exact<MetricRow>({
      name: string,
      column: maybe(string),
      kind: word<MetricRow["kind"]>({ numeric: true, text: true }),
      last: value,
      min: value,
      max: value,
      count: number,
      nan_count: number,
      inf_count: number,
      spark: list(maybe(number)),
    }),
  ),
  total: number,
  matching: number,
  chart_count: number,
  page: number,
  page_count: number,
  page_size: number,
});

export const controls = exact<MetricsControls>({
  filter: string,
  smoothing: number,
  x_axis: word<XAxis>({ step: true, index: true, time: true, relative: true }),
  y_scale: word<YScale>({ linear: true, log: true }),
  columns: word<1 | 2 | 3>({ 1: true, 2: true, 3: true }),
  page: number,
  linked: boolean,
});

export const heading = exact<HeadingState>({
  title: string,
  subtitle: maybe(string),
  last: value,
  last_digits: number,
  legend: list(exact<HeadingState["legend"][number]>({ label: string, color: string })),
  notes: list(string),
  is_zoomed: boolean,
});

const goal = word<Goal>({ minimize: true, maximize: true });

const runColumn = exact<RunColumn>({
  id: string,
  name: string,
  source: word<RunColumn["source"]>({ argument: true, tag: true, property: true, metric: true }),
  is_parameter: boolean,
  goal: maybe(goal),
});

const runRow = exact<RunRow>({
  run_id: string,
  number: maybe(number),
  name: string,
  status: string,
  status_group: statusGroup,
  started_at: maybe(number),
  ended_at: maybe(number),
  error: maybe(string),
  values: list(value),
});

const runsNews = {
  seq: number,
  total: number,
  primary: maybe(exact<Primary>({ name: string, goal })),
  sent_at: number,
};

export const runs = exact<RunsState>({
  ...runsNews,
  what: string,
  columns: list(runColumn),
  rows: list(runRow),
});

export const runs_patch = exact<RunsPatch>({
  ...runsNews,
  kind: word<"patch">({ patch: true }),
  columns: maybe(list(runColumn)),
  rows: list(runRow),
  removed: list(string),
});

export const runs_controls = exact<RunsControls>({
  filter: string,
  status: maybe(statusGroup),
  sort: maybe(
    exact<Sorting>({
      id: string,
      direction: word<Sorting["direction"]>({ ascending: true, descending: true }),
    }),
  ),
  columns: maybe(list(string)),
  metric: maybe(string),
  goal: maybe(goal),
  selected: list(string),
});

export const popup = exact<PopupState>({ run_id: string, run_name: string, trouble: maybe(string) });

const fact = exact<Fact>({ label: string, value: string });
const tag = exact<Tag>({ key: string, value: maybe(string) });
const kept = exact<KeptText>({ path: string, size: number });
const error = exact<RunError>({ code: string, message: string, traceback: maybe(string) });

/** Of a reply, what it has without the number by which its question is found. */
const reply = { kind: string, id: string, trouble: maybe(string) };

export const rows_reply = exact<RowsReply>({
  ...reply,
  name: string,
  columns: list(string),
  start: number,
  total: number,
  rows: list(list(value)),
  steps: list(value),
  times: list(number),
  history: maybe(
    exact<History>({
      words: list(exact<Word>({ value, count: number })),
      others: number,
      truth: list(maybe(number)),
    }),
  ),
});

export const download_reply = exact<DownloadReply>({ ...reply, start: number, end: number, size: number });

export const images = exact<GalleryState>({
  names: list(exact<ImageName>({ name: string, count: number, logged_at: number })),
  total_names: number,
  total: number,
  is_open: boolean,
});

export const picture_reply = exact<PictureReply>({
  ...reply,
  path: string,
  size: number,
  logged_at: number,
  mime: string,
  width: number,
  height: number,
  note: maybe(string),
  may_pass: boolean,
});

export const files = exact<FilesState>({ total: number, seq: number, is_open: boolean });

const listed = checked<[string, number]>((entry, path) =>
  Array.isArray(entry) && entry.length === 2 && typeof entry[0] === "string" && typeof entry[1] === "number"
    ? []
    : [`${path} is no path and size`],
);

export const listing = exact<FileList>({ seq: number, files: list(listed) });

export const preview_reply = exact<PreviewReply>({
  ...reply,
  path: string,
  size: number,
  shown: word<PreviewReply["shown"]>({
    text: true,
    json: true,
    table: true,
    diff: true,
    image: true,
    binary: true,
    empty: true,
  }),
  is_cut: boolean,
  encoding: string,
  mime: string,
  width: number,
  height: number,
  note: maybe(string),
});

export const details = exact<DetailsState>({
  facts: list(fact),
  started_at: maybe(number),
  ended_at: maybe(number),
  description: string,
  tags: list(tag),
  tags_total: number,
  properties: list(tag),
  properties_total: number,
  timeline: list(exact<Change>({ status: string, status_group: statusGroup, at: number })),
  error: maybe(error),
  git: list(fact),
  is_dirty: maybe(boolean),
  diff: maybe(kept),
  python: list(fact),
  packages: maybe(kept),
  submission: exact<Submission>({
    facts: list(fact),
    variables: list(tag),
    packages: list(string),
  }),
  snapshot: maybe(string),
});

export const logs = exact<LogsState>({ logs: list(string), is_open: boolean });

export const logs_controls = exact<LogsControls>({ name: maybe(string), wrap: boolean });

export const log_message = exact<LogMessage>({
  kind: word<LogMessage["kind"]>({ log: true, download: true }),
  name: string,
  content: number,
  start: number,
  end: number,
  size: number,
  trouble: maybe(string),
});

export const evaluation = exact<EvaluationState>({
  documents: list(
    exact<Evaluation>({
      name: string,
      kind: word<Evaluation["kind"]>({
        accuracy_table: true,
        confusion_matrix: true,
        residuals: true,
        predictions: true,
      }),
      first: number,
      logged: list(exact<Logged>({ path: string, logged_at: number })),
    }),
  ),
  total: number,
});

const numbers = list(number);
const gaps = list(maybe(number));
const only = <T extends string>(kind: T) => word<T>({ [kind]: true } as Record<T, true>);

const figures = {
  confusion_matrix: exact<Confusion>({
    kind: only("confusion_matrix"),
    labels: list(string),
    matrix: list(gaps),
    row_totals: numbers,
    precision: gaps,
    recall: gaps,
    f1: gaps,
    total: number,
    accuracy: maybe(number),
    note: maybe(string),
  }),
  accuracy_table: exact<Curves>({
    kind: only("accuracy_table"),
    rows: number,
    classes: number,
    charts: list(
      exact<CurveChart>({
        id: word<CurveChart["id"]>({
          roc: true,
          precision_recall: true,
          gain: true,
          lift: true,
          calibration: true,
        }),
        score_name: string,
        curves: list(
          exact<Curve>({ label: string, is_average: boolean, score: maybe(number), x: numbers, y: numbers }),
        ),
      }),
    ),
    note: maybe(string),
  }),
  residuals: exact<Residuals>({
    kind: only("residuals"),
    edges: numbers,
    counts: numbers,
    total: number,
    mean: maybe(number),
    std: maybe(number),
    note: maybe(string),
  }),
  predictions: exact<Predictions>({
    kind: only("predictions"),
    edges: numbers,
    x: numbers,
    mean: gaps,
    low: gaps,
    high: gaps,
    counts: numbers,
    note: maybe(string),
  }),
  refused: exact<Refused>({ kind: only("refused"), note: string }),
};

const figure = checked<Figure>((value, path) => {
  const kind = (value as { kind?: keyof typeof figures } | null)?.kind;
  return figures[kind as keyof typeof figures]?.check(value, path) ?? [`${path}.kind is ${String(kind)}`];
});

export const figure_messages = list(
  exact<FigureMessage>({ kind: only("figure"), path: string, figure, is_final: boolean }),
);

const boardRow = {
  run_id: string,
  run_name: string,
  run_number: maybe(number),
  experiment: string,
  status: string,
  status_group: statusGroup,
  owner: string,
  can_cancel: boolean,
  open_children: number,
  cancel_trouble: maybe(string),
};

export const board = exact<BoardState>({
  targets: list(
    exact<TargetState>({
      id: string,
      name: string,
      kind: string,
      workspace: maybe(string),
      slots: number,
      taken: number,
      active: list(exact<ActiveRow>({ ...boardRow, started_at: maybe(number), progress: maybe(progress) })),
      active_total: number,
      queued: list(exact<QueuedRow>({ ...boardRow, place: number, priority: number, queued_at: number })),
      queued_total: number,
      trouble: maybe(string),
    }),
  ),
  open_run: maybe(exact<OpenRun>({ run_id: string, run_name: string })),
  sent_at: number,
});

const overlayAxis = word<OverlayAxis>({ step: true, index: true, relative: true });

export const overlay = exact<OverlayState>({
  kind: word<OverlayState["kind"]>({ runs: true, groups: true }),
  metric: maybe(string),
  group_by: maybe(string),
  x_axis: overlayAxis,
  has_steps: boolean,
  lines: list(exact<OverlayLine>({ id: string, label: string, slot: number, width: number, runs: number })),
  groupings: list(exact<OverlayState["groupings"][number]>({ id: string, label: string })),
  chosen: number,
  notes: list(string),
  trouble: maybe(string),
});

export const overlay_controls = exact<OverlayControls>({
  metric: maybe(string),
  group_by: maybe(string),
  x_axis: overlayAxis,
  y_scale: word<YScale>({ linear: true, log: true }),
  smoothing: number,
});

export const lines_message = exact<LinesMessage>({
  kind: word<LinesMessage["kind"]>({ lines: true }),
  sequence: number,
  items: list(exact<LineItem>({ id: string, keep: number, add: number })),
});

export const differences = exact<DifferencesState>({
  runs: list(exact<DifferencesState["runs"][number]>({ id: string, name: string })),
  rows: list(exact<DifferenceRow>({ kind: string, name: string, values: list(value), differs: boolean })),
  differing: number,
  total: number,
  run_total: number,
  trouble: maybe(string),
});

export const sides = exact<SidesState>({
  names: list(string),
  name: maybe(string),
  number: number,
  most: number,
  sides: list(
    exact<Side>({
      id: string,
      label: string,
      number: number,
      count: number,
      logged_at: maybe(number),
      key: maybe(string),
      mime: string,
      size: number,
      note: maybe(string),
    }),
  ),
  notes: list(string),
  trouble: maybe(string),
});

export const sides_controls = exact<SidesControls>({ name: maybe(string), number: maybe(number) });

export const picture_message = exact<PictureMessage>({
  kind: word<PictureMessage["kind"]>({ picture: true }),
  key: string,
  mime: string,
});
