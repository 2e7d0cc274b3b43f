/** Messages of a comm as binary frames; `runwidgets/portal/frames.py` is the twin. */

export interface Frame {
  kind: "open" | "message" | "close" | "root" | "error";
  id: string;
  data: unknown;
  metadata?: Record<string, unknown>;
}

const HEAD = 4;

/** Four bytes with the length of the header (little-endian), the header as JSON, the buffers one after the other. */
export function packFrame(
  frame: Frame,
  buffers: readonly (ArrayBuffer | ArrayBufferView)[] = [],
): Uint8Array<ArrayBuffer> {
  const parts = buffers.map((buffer) =>
    ArrayBuffer.isView(buffer)
      ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
      : new Uint8Array(buffer),
  );
  const head = new TextEncoder().encode(
    JSON.stringify({ ...frame, buffers: parts.map((part) => part.length) }),
  );
  const whole = new Uint8Array(HEAD + head.length + parts.reduce((sum, part) => sum + part.length, 0));
  new DataView(whole.buffer).setUint32(0, head.length, true);
  whole.set(head, HEAD);
  let at = HEAD + head.length;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function unpackFrame(bytes: ArrayBuffer): { frame: Frame; buffers: DataView[] } {
  const length = new DataView(bytes).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, HEAD, length)));
  const { buffers: lengths, ...frame } = head as Frame & { buffers: number[] };
  let at = HEAD + length;
  const buffers = lengths.map((size) => {
    const buffer = new DataView(bytes.slice(at, at + size)); // bqplot takes the whole of what lies behind a view
    at += size;
    return buffer;
  });
  return { frame, buffers };
}
