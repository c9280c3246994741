/** A tool's answer, as every client gives it. */
export interface Spoken {
  readonly isError?: boolean | undefined;
  readonly content: readonly { readonly text?: string }[];
  readonly structuredContent?: Record<string, unknown> | undefined;
}

/** Random ids by what begins them, and tokens by their form. What a conversation says with them is the same each time. */
const IDS = /\b(pat|apt|wai|prq|usr)_[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])/g;
const SLOT_IDS = /[a-z-]+(?:~[A-Za-z0-9_-]+){6}/g;
const CONFIRMS = /\b[0-9a-z]{8}~[A-Za-z0-9_-]{22}/g;
const NAMES: Readonly<Record<string, string>> = {
  pat: 'patient',
  apt: 'visit',
  wai: 'place',
  prq: 'request',
  usr: 'user',
};

/** Takes down a conversation word for word; ids that differ each time become the same few names. */
export class Transcript {
  readonly #lines: string[] = [];
  readonly #names = new Map<string, string>();
  readonly #output: string[] = [];

  /** What the person says. */
  says(who: string, words: string): void {
    this.#lines.push(`${this.#lines.length === 0 ? '' : '\n'}${who}: ${words}`);
  }

  /** A call and its answer. */
  calls(name: string, args: object, answer: Spoken): void {
    const text = answer.content.map((block) => block.text ?? '').join(' ');
    const output = answer.structuredContent;
    this.#output.push(text, ...(output === undefined ? [] : [JSON.stringify(output)]));
    this.#lines.push(
      `\n→ ${name} ${this.#plain(JSON.stringify(args))}`,
      `${answer.isError === true ? '✗' : '←'} ${this.#plain(text)}`,
      ...(output === undefined ? [] : [this.#plain(JSON.stringify(output, null, 2))]),
    );
  }

  /** Everything that the tools answered, to the letter: what a model reads of it. */
  get output(): string {
    return this.#output.join('\n');
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #plain(text: string): string {
    return text
      .replace(SLOT_IDS, (id) => this.#nameOf(id, 'slot'))
      .replace(CONFIRMS, (token) => this.#nameOf(token, 'confirm'))
      .replace(IDS, (id, kind: string) => this.#nameOf(id, NAMES[kind] ?? kind));
  }

  #nameOf(id: string, kind: string): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const count = [...this.#names.values()].filter((name) => name.startsWith(`<${kind} `)).length;
    const name = `<${kind} ${count + 1}>`;
    this.#names.set(id, name);
    return name;
  }
}
