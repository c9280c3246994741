const GONE = 0xffff_ffff;

/** One bundle of the log as the server sends it: the tile of level 0, and the leaves in order. */
export interface LogFrame {
  readonly tile: Uint8Array | null;
  readonly leaves: readonly (Uint8Array | null)[];
}

/**
 * Reads what `src/console/frames.ts` writes. The parts are views of `bytes`, not copies.
 *
 * @throws RangeError when the bytes end in the middle.
 */
export function decodeFrames(bytes: Uint8Array): LogFrame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: LogFrame[] = [];
  let at = 0;
  const u32 = (): number => {
    at += 4;
    return view.getUint32(at - 4);
  };
  const part = (): Uint8Array | null => {
    const length = u32();
    if (length === GONE) return null;
    if (at + length > bytes.length) throw new RangeError('The log was cut off on its way.');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tile = part();
    const count = u32();
    frames.push({ tile, leaves: Array.from({ length: count }, part) });
  }
  return frames;
}
