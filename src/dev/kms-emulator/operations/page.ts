import { KmsError } from '../errors.ts';
import type { Call, Output } from './operation.ts';

/**
 * One page of a list: `Limit` items (100 unless told, at most `max`) after `Marker`.
 *
 * @throws KmsError `InvalidMarkerException` when the marker is not one that this emulator gave.
 */
export function page(
  call: Call,
  member: string,
  options: { items: readonly unknown[]; max: number },
): Output {
  const limit =
    call.input.optionalInteger('Limit', { min: 1, max: options.max }) ?? Math.min(100, options.max);
  const marker = call.input.optionalString('Marker', { min: 1, max: 1024 });
  const from = marker === undefined ? 0 : Number(/^from-(\d{1,9})$/.exec(marker)?.[1] ?? Number.NaN);
  if (Number.isNaN(from)) throw new KmsError('InvalidMarkerException', 'The marker is not valid.');
  const truncated = from + limit < options.items.length;
  return {
    [member]: options.items.slice(from, from + limit),
    Truncated: truncated,
    ...(truncated ? { NextMarker: `from-${from + limit}` } : {}),
  };
}
