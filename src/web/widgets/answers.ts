/**
 * A tool's answer as a widget sees it: `data` is what the model sees too, `extra` what was added for the person alone.
 * Nothing of `extra` may go anywhere but onto the page.
 */
export interface Answer {
  readonly failed: boolean;
  /** The sentence for the model. */
  readonly text: string;
  readonly data: Data;
  readonly extra: Extra;
  /** The call needs a new sign-in, which the host offers. */
  readonly signIn: boolean;
}

/** What a slot is chosen by. */
export interface Slot {
  readonly slotId: string;
  readonly practitioner: string;
  readonly date: string;
  readonly time: string;
  readonly utcOffset?: string;
}

/** A visit as the tools say it. */
export interface Visit {
  readonly appointmentId: string;
  readonly status: string;
  readonly title: string;
  readonly practitioner: string;
  readonly minutes: number;
  readonly location?: string;
  readonly telehealth?: boolean;
  readonly preparation?: string;
  readonly date: string;
  readonly time: string;
  readonly utcOffset?: string;
  readonly zone: string;
}

/** A line of a chart. */
export interface Line {
  readonly text: string;
  readonly date?: string;
  readonly status?: string;
  readonly detail?: string;
}

/** What widgets read of `structuredContent`. Our own server made it, and its schemas hold the rest. */
export interface Data {
  readonly outcome?: string;
  readonly title?: string;
  readonly zone?: string;
  readonly phone?: string;
  readonly slots?: readonly Slot[];
  readonly choices?: readonly Slot[];
  readonly more?: number;
  readonly appointment?: Visit;
  readonly appointments?: readonly Visit[];
  readonly confirm?: string;
  readonly patients?: readonly {
    readonly patient: string;
    readonly name: string;
    readonly birthDate: string;
  }[];
  readonly [section: string]: unknown;
}

/** What widgets read of their own part. */
export interface Extra {
  readonly clinic?: { readonly name: string; readonly phone: string };
  readonly calendars?: readonly { readonly appointmentId: string; readonly file: string }[];
  readonly reasons?: readonly { readonly appointmentId: string; readonly reason: string }[];
  readonly patients?: readonly {
    readonly patient: string;
    readonly gender?: string;
    readonly phoneEnding?: string;
    readonly city?: string;
  }[];
}

/** The shape in which hosts hand results over. */
export interface RawResult {
  readonly isError?: boolean | undefined;
  readonly content?: readonly unknown[] | undefined;
  readonly structuredContent?: unknown;
  readonly _meta?: Readonly<Record<string, unknown>> | undefined;
}

/** Takes a result apart. */
export function answerOf({ isError, content = [], structuredContent, _meta = {} }: RawResult): Answer {
  return {
    failed: isError === true,
    text: content.map(textOf).join(' ').trim(),
    data: objectOf(structuredContent),
    extra: objectOf(_meta['chartseal/widget']) as Extra,
    signIn: _meta['mcp/www_authenticate'] !== undefined,
  };
}

const textOf = (block: unknown): string => {
  const { type, text } = objectOf(block) as { type?: unknown; text?: unknown };
  return type === 'text' && typeof text === 'string' ? text : '';
};
const objectOf = (value: unknown): Data => (typeof value === 'object' && value !== null ? value : {}) as Data;
