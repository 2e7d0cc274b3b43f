/**
 * Building and patching DOM. A string given as a child always becomes a text node, so a name that looks like
 * markup stays a name; nothing in this folder parses HTML.
 */

type Attributes = Record<string, string | number>;
type Child = Node | string;

/** Sets an attribute only where it differs: an equal write would still wake observers and restart animations. */
export function setAttr(node: Element, name: string, value: string | number | null): void {
  if (value === null) {
    node.removeAttribute(name);
    return;
  }
  const text = String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/** Sets the text only where it differs, so that a selection in unchanged text survives an update. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node: HTMLElement, visible: boolean): void {
  if (node.hidden === visible) node.hidden = !visible;
}

function fill<N extends Element>(node: N, attrs: Attributes, children: Child[]): N {
  for (const [name, value] of Object.entries(attrs)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attrs: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attrs, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attrs: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attrs, children);
}

/** The focused element as seen from `node`: inside a shadow tree `document.activeElement` is only the host. */
export function hasFocus(node: Element): boolean {
  // By its property, not by its class: a notebook moved to another window has classes of its own.
  return (node.getRootNode() as Partial<DocumentOrShadowRoot>).activeElement === node;
}
