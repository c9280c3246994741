/** The length that stands for a leaf which is not there. */
const GONE = 0xffff_ffff;

/** One bundle of the log on the wire: its tile of level 0, then its leaves in order. */
export interface LogFrame {
  readonly tile: Uint8Array | null;
  readonly leaves: readonly (Uint8Array | null)[];
}

/**
 * `u32 tile length ‖ tile ‖ u32 leaves ‖ (u32 length ‖ leaf)…`, big-endian; a tile or leaf that is not there has the
 * length 0xffffffff. `src/web/console/frames.ts` reads it.
 */
export function encodeFrame({ tile, leaves }: LogFrame): Buffer {
  return Buffer.concat([...part(tile), u32(leaves.length), ...leaves.flatMap(part)]);
}

const part = (bytes: Uint8Array | null): Uint8Array[] =>
  bytes === null ? [u32(GONE)] : [u32(bytes.length), bytes];

function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
