import { InputError } from '../kernel/errors.ts';
import { CryptoError } from './errors.ts';
import type { FieldStep } from './field-context.ts';
import { isPlainObject } from './field-values.ts';

/**
 * The fields of a document by path: `name`, `contact.phone`, `visits.*.note` (the note of each visit). Documents
 * are never changed: what lies on a path is copied, the rest is shared.
 */

const MAX_PATHS = 100;
const MAX_STEPS = 16;
/** How many values of one document may be sealed. */
export const MAX_SEALED_FIELDS = 1_000;

type Branch = Map<string, Branch | 'field'>;

/** Called for each field that is there; what it returns takes the field's place. `name` is for messages. */
type Visit = (value: unknown, path: readonly FieldStep[], name: string) => unknown;

/**
 * A copy of `document` in which each field that `paths` name and the document has is what `visit` returned.
 *
 * @throws InputError `INPUT` for a malformed, repeated or overlapping path, or one that does not fit the document.
 * @throws CryptoError `TOO_LARGE` for more than {@link MAX_SEALED_FIELDS} fields.
 */
export function replaceFields(document: unknown, paths: readonly string[], visit: Visit): unknown {
  if (!isPlainObject(document)) throw badPath('', 'The document is not a plain object.');
  let fields = 0;
  const counted: Visit = (value, path, name) => {
    fields += 1;
    if (fields > MAX_SEALED_FIELDS)
      throw new CryptoError(
        'TOO_LARGE',
        'The document has over 1,000 sealed fields. Seal a whole array instead.',
      );
    return visit(value, path, name);
  };
  return replaceIn(document, parsePaths(paths), { path: [], name: '' }, counted);
}

function parsePaths(paths: readonly string[]): Branch {
  if (paths.length === 0 || paths.length > MAX_PATHS) throw badPath('', 'Name 1 to 100 fields.');
  const root: Branch = new Map();
  for (const path of paths) {
    const steps = path.split('.');
    if (steps.length > MAX_STEPS || steps.some((step) => step === '' || step === '__proto__'))
      throw badPath(path, 'A path is 1 to 16 names separated by dots.');
    let branch = root;
    for (const step of steps.slice(0, -1)) branch = descend(branch, step, path);
    const last = steps.at(-1) ?? '';
    if (branch.has(last)) throw overlaps(path);
    branch.set(last, 'field');
  }
  return root;
}

function descend(branch: Branch, step: string, path: string): Branch {
  const next = branch.get(step) ?? new Map();
  if (next === 'field') throw overlaps(path);
  branch.set(step, next);
  return next;
}

interface At {
  readonly path: readonly FieldStep[];
  readonly name: string;
}

function replaceIn(value: unknown, next: Branch | 'field', at: At, visit: Visit): unknown {
  if (next === 'field') return value === undefined ? undefined : visit(value, at.path, at.name);
  if (value === null || value === undefined) return value;
  if (Array.isArray(value)) return replaceInArray(value, next, at, visit);
  if (!isPlainObject(value))
    throw badPath(at.name, 'The path runs through a value that is no map and no array.');
  if (next.has('*')) throw badPath(at.name, 'The path says "*" where the document has a map.');
  const copy = { ...value };
  for (const [key, rest] of next) {
    refuseDottedKey(value, key, rest);
    if (Object.hasOwn(value, key)) copy[key] = replaceIn(value[key], rest, step(at, key, key), visit);
  }
  return copy;
}

function replaceInArray(value: readonly unknown[], next: Branch, at: At, visit: Visit): unknown[] {
  const rest = next.get('*');
  if (rest === undefined || next.size > 1)
    throw badPath(at.name, 'The document has an array here: write "*" for each of its elements.');
  return value.map((item, index) => replaceIn(item, rest, step(at, index, '*'), visit));
}

/** `contact.phone` may be meant as one key with a dot in it: then it would stay in clear. */
function refuseDottedKey(map: object, key: string, rest: Branch | 'field', prefix = ''): void {
  const dotted = prefix + key;
  if (prefix !== '' && Object.hasOwn(map, dotted))
    throw badPath(
      dotted,
      'The document has a key with a dot in it, which a path cannot name. Rename the key.',
    );
  if (rest === 'field') return;
  for (const [name, more] of rest) refuseDottedKey(map, name, more, `${dotted}.`);
}

function step(at: At, next: FieldStep, name: string): At {
  return { path: [...at.path, next], name: at.name === '' ? name : `${at.name}.${name}` };
}

const overlaps = (path: string): InputError =>
  badPath(path, 'The path is named twice, or lies inside another one.');

function badPath(path: string, what: string): InputError {
  return new InputError('INPUT', path === '' ? what : `Field "${path}": ${what}`);
}
