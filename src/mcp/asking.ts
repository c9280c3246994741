import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequiredResult,
  inputRequired,
} from '@modelcontextprotocol/server';

/**
 * Choices that a client can put before the person itself (elicitation). From 2026-07-28 on the answer of a call may be a
 * question, and the client calls again with what was chosen; the revisions before would need a stream back to the
 * client, which a stateless server has not, so there the model gets the choices as data.
 */

/** A question that a tool would put to the person: one of these values for one of its arguments. */
export interface Question {
  readonly message: string;
  /** The argument that the answer fills. */
  readonly argument: string;
  readonly options: readonly { readonly value: string; readonly title: string }[];
}

const KEY = 'choice';

/** True when a request's `_meta` declares that its client shows forms. An empty declaration means forms. */
export function envelopeShowsForms(envelope: unknown): boolean {
  const elicitation = field(field(envelope, CLIENT_CAPABILITIES_META_KEY), 'elicitation');
  if (typeof elicitation !== 'object' || elicitation === null) return false;
  return Object.keys(elicitation).length === 0 || field(elicitation, 'form') !== undefined;
}

/** The question as MCP says it. The person's host shows it; the model does not answer it. */
export function questionResult({ message, argument, options }: Question): InputRequiredResult {
  const oneOf = options.map(({ value, title }) => ({ const: value, title }));
  const requestedSchema = {
    type: 'object' as const,
    properties: { [argument]: { type: 'string' as const, title: message, oneOf } },
    required: [argument],
  };
  return inputRequired({ inputRequests: { [KEY]: inputRequired.elicit({ message, requestedSchema }) } });
}

/**
 * What came back from the person, as an argument of the tool; it is checked like one that the model wrote.
 *
 * @returns null when nothing was asked yet; `{}` when the person declined, or answered something else.
 */
export function chosenArgument(
  responses: Readonly<Record<string, unknown>> | undefined,
  argument: string | undefined,
): Record<string, string> | null {
  if (responses === undefined || argument === undefined) return null;
  const answer = responses[KEY];
  const value = field(field(answer, 'content'), argument);
  return field(answer, 'action') === 'accept' && typeof value === 'string' ? { [argument]: value } : {};
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
