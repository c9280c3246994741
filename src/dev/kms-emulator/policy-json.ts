import { KmsError } from './errors.ts';

/** A text or a list of texts, without policy variables. */
export function strings(value: unknown, element: string): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (typeof item !== 'string') return malformed(`${element} holds something other than text`);
    if (item.includes('${')) malformed(`policy variables are not emulated (in ${element})`);
    return item;
  });
}

/** A JSON object that is no list. */
export function asObject(value: unknown, element: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    malformed(`${element} is not an object`);
  return value as Record<string, unknown>;
}

/** @throws KmsError always: `MalformedPolicyDocumentException`. */
export function malformed(why: string): never {
  throw new KmsError('MalformedPolicyDocumentException', `The policy is not valid: ${why}.`);
}
