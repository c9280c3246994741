import { createHash } from 'node:crypto';
import type { Resource, TextResourceContents } from '@modelcontextprotocol/server';

/** Every widget, by the name that tools and `src/web/widgets/` know it by. */
export const WIDGETS = {
  'slot-picker': 'Choose a time',
  appointments: 'Visits',
  patients: 'Patient',
  privacy: 'Privacy and access',
} as const;

/** The name of a widget. */
export type WidgetName = keyof typeof WIDGETS;

/** The media type of an MCP Apps page (ext-apps 2026-01-26). */
export const WIDGET_TYPE = 'text/html;profile=mcp-app';
const URI = /^ui:\/\/chartseal\/([a-z-]+)-[0-9a-f]{16}\.html$/;
/** No network, no other site's files, no frames: everything that a widget needs is in its page. */
const META = {
  ui: {
    csp: { connectDomains: [], resourceDomains: [], frameDomains: [], baseUriDomains: [] },
    prefersBorder: true,
  },
};

/**
 * The widgets' pages as MCP resources. They hold code and no data. A page's address names the hash of its content, so
 * that a host may keep it for ever; the address of an earlier version leads to the present one, because conversations
 * and tool lists outlive a deployment.
 */
export class WidgetPages {
  readonly #pages: ReadonlyMap<string, string>;
  readonly #uris: ReadonlyMap<string, string>;

  /** @param pages widget name → its whole HTML. A widget without a page is not offered. */
  constructor(pages: ReadonlyMap<string, string>) {
    this.#pages = pages;
    this.#uris = new Map(
      [...pages].map(([name, html]) => {
        const hash = createHash('sha256').update(html).digest('hex').slice(0, 16);
        return [name, `ui://chartseal/${name}-${hash}.html`];
      }),
    );
  }

  /** `_meta` of a tool that this widget shows and may call: the standard's key, and the names by which ChatGPT knew it first. */
  metaOf(name: WidgetName): Record<string, unknown> {
    const uri = this.#uris.get(name);
    return uri === undefined
      ? {}
      : { ui: { resourceUri: uri }, 'openai/outputTemplate': uri, 'openai/widgetAccessible': true };
  }

  /** For `resources/list`. */
  list(): Resource[] {
    return (Object.keys(WIDGETS) as WidgetName[]).flatMap((name) => {
      const uri = this.#uris.get(name);
      if (uri === undefined) return [];
      return [{ uri, name, title: WIDGETS[name], mimeType: WIDGET_TYPE, _meta: META }];
    });
  }

  /** For `resources/read`; null when there is no such widget. */
  read(uri: string): TextResourceContents | null {
    const text = this.#pages.get(URI.exec(uri)?.[1] ?? '');
    return text === undefined ? null : { uri, mimeType: WIDGET_TYPE, text, _meta: META };
  }
}
