import { fromBase64, toBase64 } from './bytes.ts';
import { AuditError } from './errors.ts';

/**
 * What a checkpoint says (https://c2sp.org/tlog-checkpoint): whose tree, how large, its root, and in an extension
 * line of ours the time of signing, so that staleness can be told.
 */
export interface Checkpoint {
  /** Names the tree, `chartseal/{project}/{tenant}`: a checkpoint of another tenant never fits. */
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** When it was signed, ms since the Unix epoch; null in a note that does not say. */
  readonly time: number | null;
}

const SIZE = /^(?:0|[1-9]\d{0,15})$/;
const TIME = /^time (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/;

/** The text of the note, its last line feed included. */
export function formatCheckpoint({ origin, size, root, time }: Checkpoint): string {
  const extension = time === null ? '' : `time ${new Date(time).toISOString()}\n`;
  return `${origin}\n${size}\n${toBase64(root)}\n${extension}`;
}

/** @throws AuditError `NOTE` unless the text is a checkpoint. Extension lines of others are passed over. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', hash = '', ...extensions] = text.split('\n');
  const root = fromBase64(hash);
  const ends = extensions.pop() === '';
  if (!ends || origin === '' || !SIZE.test(size) || root?.length !== 32 || extensions.includes(''))
    throw new AuditError('NOTE', 'That is not a checkpoint: origin, size, root hash, extension lines.');
  const times = extensions.map((line) => TIME.exec(line)?.[1]).filter((time) => time !== undefined);
  return { origin, size: Number(size), root, time: times[0] === undefined ? null : Date.parse(times[0]) };
}

/** The origin of a tenant's tree. Project ids are unique in the world, tenants within a project. */
export const originOf = (project: string, tenant: string): string => `chartseal/${project}/${tenant}`;
