import { afterEach, expect, test } from "vitest";
import headingPanel from "../src/heading";
import { HOSTILE, mount } from "./model";
import { heading } from "./states";

afterEach(() => document.body.replaceChildren());

const open = (change: Parameters<typeof heading>[0] = {}) => mount(headingPanel, { state: heading(change) });

test("a heading reads title, subtitle, last value, legend and notes in this order", () => {
  const { texts } = open({
    title: "Sine Wave",
    subtitle: "sine over angle",
    last: { float: "NaN" },
    legend: [{ label: "sine", color: "#3b76d6" }],
    notes: ["◆ 3 NaN"],
  });
  expect(texts(".rw-heading > *")).toEqual(["Sine Wave", "sine over angle", "NaN", "sine", "◆ 3 NaN"]);
});

test("the title stays the same element while the last value changes", () => {
  const { find, model, texts } = open();
  const title = find(".rw-chart-title");
  model.set("state", heading({ last: 0.25, notes: ["◆ 1 NaN"] }));
  expect(find(".rw-chart-title")).toBe(title);
  expect(texts(".rw-heading > *")).toEqual(["train/loss", "0.25", "◆ 1 NaN"]);
  model.set("state", heading({ last: null }));
  expect(texts(".rw-heading > *")).toEqual(["train/loss"]);
});

test("text that looks like markup is shown as text, and a colour cannot bring in a URL", () => {
  const { host, find } = open({
    title: HOSTILE,
    subtitle: HOSTILE,
    last: HOSTILE,
    legend: [{ label: HOSTILE, color: "url(https://example.org/x)" }],
    notes: [HOSTILE],
  });
  expect(host.querySelectorAll("img").length).toBe(0);
  expect(find(".rw-swatch").style.background).toBe("");
});

test("after clean-up no listener or element is left", () => {
  const { host, model, end } = open();
  end();
  expect([model.listenerCount, host.childNodes.length]).toEqual([0, 0]);
});

test("a chart that is zoomed has a button that shows the whole again, and gives its focus to the chart", () => {
  const { all, find, host, model } = open({ is_zoomed: true, notes: ["◆ 1 NaN"] });
  host.className = "rw-chart";
  const figure = document.createElement("div");
  figure.className = "bqplot";
  figure.tabIndex = 0;
  host.append(figure);
  const reset = find(".rw-reset");
  reset.focus();
  reset.click();
  expect(model.send).toHaveBeenCalledWith({ kind: "reset" });
  model.set("state", heading({ is_zoomed: true, last: 0.75 }));
  expect(find(".rw-heading > :last-child")).toBe(reset);
  expect(document.activeElement).toBe(reset);
  model.set("state", heading());
  expect(all(".rw-reset")).toEqual([]);
  expect(document.activeElement).toBe(figure);
});
