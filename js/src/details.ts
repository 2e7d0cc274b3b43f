import type { RenderProps } from "@anywidget/types";
import { copyButton } from "./copy";
import { el, setAttr, setText, show } from "./dom";
import { formatBytes, formatDuration, formatMoment, formatNumber } from "./format";
import { type ItemView, KeyedList } from "./keyed";
import { Scope } from "./scope";
import type { DetailsState } from "./wire";

interface Traits {
  state: DetailsState;
}

type Fact = DetailsState["facts"][number];
type Tag = DetailsState["tags"][number];
type Property = DetailsState["properties"][number];
type File = DetailsState["files"][number];

/** The fact that people paste elsewhere, and so can be copied with one click. */
const COPIED_LABEL = "Run id";

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
  if (label === COPIED_LABEL) {
    value.classList.add("rw-id");
    definition.append(copyButton(scope, () => value.textContent ?? ""));
  }
  const term = el("dt", {}, label);
  return {
    node: el("div", { class: "rw-fact" }, term, definition),
    patch(fact) {
      setText(value, fact.value);
    },
  };
}

function tagView(): ItemView<Tag> {
  const node = el("li", { class: "rw-tag" });
  return {
    node,
    patch({ key, value }) {
      const text = value === null ? key : `${key} = ${value}`;
      setText(node, text);
      setAttr(node, "title", text);
    },
  };
}

function propertyView(): ItemView<Property> {
  const key = el("th", { scope: "row", class: "rw-left" });
  const value = el("td", { class: "rw-left rw-property-value" });
  return {
    node: el("tr", {}, key, value),
    patch(property) {
      setText(key, property.key);
      setAttr(key, "title", property.key);
      setText(value, property.value);
    },
  };
}

function fileView(): ItemView<File> {
  const path = el("span", { class: "rw-file-path" });
  const size = el("span", { class: "rw-file-size" });
  return {
    node: el("li", { class: "rw-file" }, path, size),
    patch(file) {
      setText(path, file.path);
      setAttr(path, "title", file.path);
      setText(size, formatBytes(file.size));
    },
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
    patch(items: number) {
      setText(count, formatNumber(items));
      show(node, items > 0);
    },
  };
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const factList = el("dl", { class: "rw-facts" });
  const tagList = el("ul", { class: "rw-tag-list" });
  const propertyBody = el("tbody");
  const fileList = el("ul", { class: "rw-file-list" });
  const filesMore = el("p", { class: "rw-more" });

  const facts = new KeyedList<Fact>(
    factList,
    ({ label }) => label,
    (fact) => factView(scope, fact),
  );
  const tags = new KeyedList<Tag>(tagList, ({ key }) => key, tagView);
  const properties = new KeyedList<Property>(propertyBody, ({ key }) => key, propertyView);
  const files = new KeyedList<File>(fileList, ({ path }) => path, fileView);

  const tagSection = section("Tags", tagList);
  const propertySection = section(
    "Properties",
    el("div", { class: "rw-table-box" }, el("table", { class: "rw-table rw-properties" }, propertyBody)),
  );
  const fileSection = section("Files", fileList, filesMore);
  scope.mount(
    host,
    el(
      "div",
      { class: "rw-panel rw-details" },
      factList,
      tagSection.node,
      propertySection.node,
      fileSection.node,
    ),
  );

  scope.watch(model, ["state"], () => {
    const state = model.get("state");
    facts.update([...state.facts, ...spanOf(state)]);
    tags.update(state.tags);
    properties.update(state.properties);
    files.update(state.files);
    tagSection.patch(state.tags.length);
    propertySection.patch(state.properties.length);
    fileSection.patch(state.files_total);
    const hidden = state.files_total - state.files.length;
    setText(filesMore, `+${formatNumber(hidden)} more`);
    show(filesMore, hidden > 0);
  });
  return scope.end;
}

export default { render };
