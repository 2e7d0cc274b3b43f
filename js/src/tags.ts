/** The tags of a run, which can be added, changed and taken away where they stand. */
import type { Asker } from "./asking";
import { el, setAttr, setText, show } from "./dom";
import { type ItemView, KeyedList } from "./keyed";
import { plainName } from "./plain";
import type { Scope } from "./scope";
import { noteView } from "./table";
import type { Reply, Tag, TagRequest } from "./wire";

export function tagsView(scope: Scope, asker: Asker) {
  const { signal } = scope;
  /** The key of the tag that is being changed; null for one that is added, undefined for none. */
  let edited: string | null | undefined;
  let isSending = false;
  const list = el("ul", { class: "rw-tag-list" });
  const add = el("button", { class: "rw-button rw-tag-add", type: "button" }, "+ Add tag");
  const key = el("input", {
    class: "rw-input",
    placeholder: "name",
    "aria-label": "Name of the tag",
    maxlength: 256,
  });
  const value = el("input", {
    class: "rw-input",
    placeholder: "value (optional)",
    "aria-label": "Value of the tag",
  });
  const save = el("button", { class: "rw-button rw-primary", type: "submit" }, "Save");
  const remove = el("button", { class: "rw-button", type: "button" }, "Remove");
  const cancel = el("button", { class: "rw-button", type: "button" }, "Cancel");
  const trouble = noteView("rw-tag-trouble");
  setAttr(trouble.node, "role", "alert");
  const form = el("form", { class: "rw-tag-form" }, key, value, save, remove, cancel, trouble.node);
  for (const input of [key, value]) {
    setAttr(input, "autocomplete", "off");
    setAttr(input, "spellcheck", "false");
  }

  const edit = (tag: Tag | null | undefined) => {
    edited = tag === undefined ? undefined : (tag?.key ?? null);
    show(form, edited !== undefined);
    show(add, edited === undefined);
    trouble.patch("");
    if (edited === undefined) return;
    key.value = tag?.key ?? "";
    value.value = tag?.value ?? "";
    show(remove, edited !== null);
    (edited === null ? key : value).focus({ preventScroll: true });
  };
  const send = (change: Pick<TagRequest, "key" | "value">) => {
    if (edited === undefined || isSending) return;
    isSending = true;
    setAttr(form, "aria-busy", "true");
    const request: TagRequest = { kind: "tag", before: edited, ...change };
    asker.ask<Reply>(
      request,
      (reply) => {
        isSending = false;
        setAttr(form, "aria-busy", null);
        if (reply.trouble !== null) return trouble.patch(reply.trouble);
        edit(undefined);
        add.focus({ preventScroll: true });
      },
      trouble.patch,
    );
  };
  form.addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      if (key.value.trim() === "") {
        trouble.patch("a tag needs a name");
        key.focus();
      } else send({ key: key.value, value: value.value === "" ? null : value.value });
    },
    { signal },
  );
  form.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      edit(undefined);
      add.focus({ preventScroll: true });
    },
    { signal },
  );
  remove.addEventListener("click", () => send({ key: null, value: null }), { signal });
  cancel.addEventListener("click", () => edit(undefined), { signal });
  add.addEventListener("click", () => edit(null), { signal });

  const tags = new KeyedList<Tag>(list, (tag) => tag.key, tagView);
  function tagView(): ItemView<Tag> {
    let tag: Tag | null = null;
    const button = el("button", { class: "rw-tag", type: "button" });
    button.addEventListener("click", () => tag && edit(tag), { signal });
    return {
      node: el("li", {}, button),
      patch(next) {
        tag = next;
        const text =
          next.value === null ? plainName(next.key) : `${plainName(next.key)} = ${plainName(next.value)}`;
        setText(button, text);
        setAttr(button, "title", `${text}\nClick to change it`);
      },
    };
  }
  edit(undefined);
  return {
    node: el("div", { class: "rw-tags" }, list, el("div", { class: "rw-tag-bar" }, add, form)),
    patch: (shown: readonly Tag[]) => tags.update(shown),
  };
}
