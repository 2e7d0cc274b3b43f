import type { RenderProps } from "@anywidget/types";
import { Asker } from "./asking";
import { copyButton } from "./copy";
import { el, setAttr, setText, show } from "./dom";
import { downloadButton } from "./downloads";
import { formatDuration, formatMoment, formatNumber } from "./format";
import { keptView } from "./kept";
import { type ItemView, KeyedList } from "./keyed";
import { plainName, plainText } from "./plain";
import { Scope } from "./scope";
import { noteView } from "./table";
import { tagsView } from "./tags";
import { timelineView } from "./timeline";
import type { DetailsState, Fact, Tag } from "./wire";

interface Traits {
  state: DetailsState;
}

/** The facts that people paste elsewhere, and so can be copied with one click. */
const COPIED = new Set(["Run id", "Parent run", "Commit", "Command", "Snapshot"]);

/** When the run began and ended, on the clock of whoever reads it. */
function spanOf({ started_at, ended_at }: DetailsState): Fact[] {
  if (started_at === null) return [];
  const started = { label: "Started", value: formatMoment(started_at) };
  if (ended_at === null) return [started];
  const duration = formatDuration(ended_at - started_at);
  return [started, { label: "Ended", value: formatMoment(ended_at) }, { label: "Duration", value: duration }];
}

function factView(scope: Scope, { label }: Fact): ItemView<Fact> {
  const value = el("span", { class: "rw-fact-value" });
  const definition = el("dd", {}, value);
  let whole = "";
  if (COPIED.has(label)) {
    value.classList.add("rw-id");
    definition.append(copyButton(scope, () => whole));
  }
  return {
    node: el("div", { class: "rw-fact" }, el("dt", {}, label), definition),
    patch(fact) {
      whole = fact.value;
      setText(value, plainName(fact.value));
    },
  };
}

function factsView(scope: Scope) {
  const node = el("dl", { class: "rw-facts" });
  const list = new KeyedList<Fact>(
    node,
    ({ label }) => label,
    (fact) => factView(scope, fact),
  );
  return { node, patch: (facts: readonly Fact[]) => list.update(facts) };
}

function pairView(): ItemView<Tag> {
  const key = el("th", { scope: "row", class: "rw-left" });
  const value = el("td", { class: "rw-left rw-property-value" });
  return {
    node: el("tr", {}, key, value),
    patch(pair) {
      setText(key, plainName(pair.key));
      setAttr(key, "title", plainName(pair.key));
      setText(
        value,
        pair.value === null ? "hidden: its name says that it may be a secret" : plainText(pair.value),
      );
      value.classList.toggle("rw-muted", pair.value === null);
    },
  };
}

function pairsView() {
  const body = el("tbody");
  const list = new KeyedList<Tag>(body, ({ key }) => key, pairView);
  return {
    node: el("div", { class: "rw-table-box" }, el("table", { class: "rw-table rw-properties" }, body)),
    patch: (pairs: readonly Tag[]) => list.update(pairs),
  };
}

function section(title: string, ...inside: HTMLElement[]) {
  const count = el("span", { class: "rw-count" });
  const node = el(
    "section",
    { class: "rw-section" },
    el("h4", { class: "rw-section-title" }, title, count),
    ...inside,
  );
  return {
    node,
    patch(isShown: boolean, items: number | null = null) {
      setText(count, items === null ? "" : formatNumber(items));
      show(node, isShown);
    },
  };
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const asker = new Asker(scope, model);
  const facts = factsView(scope);
  const description = el("p", { class: "rw-description" });
  const code = el("b", { class: "rw-error-code" });
  const message = el("span", {});
  const traceback = el("pre", {
    class: "rw-preview-text rw-kept-traceback",
    tabindex: 0,
    "aria-label": "Traceback",
  });
  const tags = tagsView(scope, asker);
  const tagsMore = noteView("rw-more");
  const timeline = timelineView(scope);
  const submitted = factsView(scope);
  const variables = pairsView();
  const python = factsView(scope);
  const asked = el("pre", { class: "rw-preview-text" });
  const askedBox = el(
    "details",
    { class: "rw-kept" },
    el("summary", {}, "Packages that the environment asks for"),
    asked,
  );
  const packages = keptView(scope, asker, "Installed packages");
  const git = factsView(scope);
  const dirty = el("p", { class: "rw-dirty" });
  const diff = keptView(scope, asker, "Changes since the commit");
  const snapshot = factsView(scope);
  snapshot.node.classList.add("rw-is-wide");
  const snapshotNote = noteView("rw-more rw-trouble");
  const download = downloadButton(
    asker,
    scope.signal,
    () => {
      const id = model.get("state").snapshot;
      return id === null ? null : { what: "snapshot", name: id, saveAs: `snapshot-${id.slice(0, 12)}.zip` };
    },
    snapshotNote.patch,
    "Download as zip",
  );
  const properties = pairsView();
  const propertiesMore = noteView("rw-more");

  const sections = {
    error: section("Error", el("p", { class: "rw-error-line" }, code, " ", message), traceback),
    tags: section("Tags", tags.node, tagsMore.node),
    submitted: section("Submitted", submitted.node),
    timeline: section("Timeline", timeline.node),
    git: section("Git", git.node, dirty, diff.node),
    environment: section("Environment", python.node, askedBox, packages.node),
    variables: section("Environment variables", variables.node),
    snapshot: section(
      "Snapshot",
      snapshot.node,
      el("p", { class: "rw-section-bar" }, download.node),
      snapshotNote.node,
    ),
    properties: section("Properties", properties.node, propertiesMore.node),
  };
  scope.mount(
    host,
    el(
      "div",
      { class: "rw-panel rw-details" },
      facts.node,
      description,
      ...Object.values(sections).map(({ node }) => node),
    ),
  );

  scope.watch(model, ["state"], () => {
    const state = model.get("state");
    const { error, submission } = state;
    facts.patch([...state.facts, ...spanOf(state)]);
    setText(description, plainText(state.description));
    show(description, state.description !== "");
    sections.error.patch(error !== null);
    setText(code, error?.code ?? "");
    setText(message, plainText(error?.message ?? ""));
    setText(traceback, plainText(error?.traceback ?? ""));
    show(traceback, Boolean(error?.traceback));
    tags.patch(state.tags);
    tagsMore.patch(
      state.tags_total > state.tags.length
        ? `+${formatNumber(state.tags_total - state.tags.length)} more`
        : "",
    );
    sections.tags.patch(state.facts.length > 0, state.tags_total || null);
    submitted.patch(submission.facts);
    sections.submitted.patch(submission.facts.length > 0);
    timeline.patch(state.timeline);
    sections.timeline.patch(state.timeline.length > 0);
    git.patch(state.git);
    setText(
      dirty,
      state.is_dirty ? "Files were changed since this commit." : "Nothing was changed since this commit.",
    );
    show(dirty, state.is_dirty !== null);
    diff.patch(state.diff);
    sections.git.patch(state.git.length > 0);
    python.patch(state.python);
    setText(asked, plainText(submission.packages.join("\n")));
    show(askedBox, submission.packages.length > 0);
    packages.patch(state.packages);
    sections.environment.patch(
      state.python.length > 0 || state.packages !== null || submission.packages.length > 0,
    );
    variables.patch(submission.variables);
    sections.variables.patch(submission.variables.length > 0, submission.variables.length);
    snapshot.patch(state.snapshot === null ? [] : [{ label: "Snapshot", value: state.snapshot }]);
    sections.snapshot.patch(state.snapshot !== null);
    properties.patch(state.properties);
    sections.properties.patch(state.properties.length > 0, state.properties_total);
    const left = state.properties_total - state.properties.length;
    propertiesMore.patch(left > 0 ? `+${formatNumber(left)} more` : "");
  });
  return scope.end;
}

export default { render };
