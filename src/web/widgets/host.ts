import { App, applyDocumentTheme, type McpUiHostContext } from '@modelcontextprotocol/ext-apps';
import { type Answer, answerOf } from './answers.ts';
import './jitless.ts';

const CALL_TIMEOUT_MS = 30_000;

/** The arguments of a tool call. */
export type Arguments = Readonly<Record<string, unknown>>;

/** The application that shows the widget. It alone speaks with the server and with the model. */
export interface Host {
  /** BCP 47, of the person. */
  readonly locale: string | undefined;
  /** The call whose answer the widget was opened for. */
  readonly opened: { readonly tool: string | undefined; readonly input: Arguments };
  /** The widget may call tools itself. */
  readonly callsTools: boolean;
  readonly savesFiles: boolean;
  readonly opensLinks: boolean;
  /** @throws when the host or the server cannot be reached within 30 s. */
  call(tool: string, args: Arguments): Promise<Answer>;
  /** Tells the model a sentence that a tool answered with, or a handle that it gave out: nothing else may go here. */
  tell(sentence: string): Promise<void>;
  /** Asks the host to open an address that a tool gave. */
  open(url: string): Promise<void>;
  /** Asks the host to save a file; false when it or the person declined. */
  save(file: { readonly name: string; readonly type: string; readonly text: string }): Promise<boolean>;
}

/** Whose chart a widget is about, as every call about it says it. */
export const whose = ({ opened: { input } }: Pick<Host, 'opened'>): Arguments =>
  input['patient'] === undefined ? {} : { patient: input['patient'] };

/** What a widget does with its host. */
export interface Widget {
  readonly name: string;
  /** The answer for which the host opened the widget; again whenever the host sends another. */
  show(answer: Answer, host: Host): void;
  /** The call was stopped before it had an answer. */
  stopped(): void;
}

/** Joins the host: handlers first, then the handshake, because the host answers as soon as it is done. */
export async function join(widget: Widget): Promise<void> {
  const app = new App({ name: `chartseal-${widget.name}`, version: '1.0.0' }, {}, { autoResize: true });
  let input: Arguments = {};
  app.ontoolinput = ({ arguments: args }) => {
    input = args ?? {};
  };
  app.ontoolresult = (result) => widget.show(answerOf(result), hostOf(app, input));
  app.ontoolcancelled = () => widget.stopped();
  app.onhostcontextchanged = applyTheme;
  await app.connect();
  applyTheme(app.getHostContext() ?? {});
}

function applyTheme({ theme }: McpUiHostContext): void {
  if (theme !== undefined) applyDocumentTheme(theme);
}

function hostOf(app: App, input: Arguments): Host {
  const can = app.getHostCapabilities() ?? {};
  const context = app.getHostContext() ?? {};
  return {
    locale: context.locale,
    opened: { tool: context.toolInfo?.tool.name, input },
    callsTools: can.serverTools !== undefined,
    savesFiles: can.downloadFile !== undefined,
    opensLinks: can.openLinks !== undefined,
    call: async (name, args) =>
      answerOf(await app.callServerTool({ name, arguments: { ...args } }, { timeout: CALL_TIMEOUT_MS })),
    tell: async (text) => {
      if (can.updateModelContext === undefined) return;
      await app.updateModelContext({ content: [{ type: 'text', text }] }).catch(() => undefined);
    },
    open: async (url) => {
      await app.openLink({ url });
    },
    save: async ({ name, type, text }) => {
      const resource = { uri: `file:///${name}`, mimeType: type, text };
      const { isError } = await app.downloadFile({ contents: [{ type: 'resource', resource }] });
      return isError !== true;
    },
  };
}
