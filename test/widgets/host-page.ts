import {
  AppBridge,
  type McpUiHostCapabilities,
  type McpUiHostContext,
  PostMessageTransport,
} from '@modelcontextprotocol/ext-apps/app-bridge';

/** What the test tells the host page to do. */
export interface Opening {
  readonly html: string;
  readonly capabilities: McpUiHostCapabilities;
  readonly context: McpUiHostContext;
  readonly input: Record<string, unknown>;
  /** Null keeps the widget waiting. */
  readonly result: HostResult | null;
}
export type HostResult = Parameters<AppBridge['sendToolResult']>[0];

/** What the widget asked of its host beside tool calls. */
export interface Asked {
  readonly what: 'context' | 'message' | 'download' | 'link';
  readonly params: unknown;
}

declare global {
  interface Window {
    /** Given by the test: the server behind the host. */
    callTool(params: unknown): Promise<HostResult>;
    asked: Asked[];
    /** Set by the test: whether the person lets a file be saved. */
    declines: boolean;
    openWidget(opening: Opening): Promise<void>;
    setTheme(theme: 'light' | 'dark'): void;
  }
}

window.asked = [];
window.declines = false;

/** A host as its own library builds it: the widget in a sandbox without an origin, and a bridge to it. */
window.openWidget = async ({ html, capabilities, context, input, result }) => {
  document.querySelector('iframe')?.remove();
  const frame = document.createElement('iframe');
  frame.title = 'widget';
  frame.setAttribute('sandbox', 'allow-scripts');
  document.body.append(frame);
  const inside = frame.contentWindow;
  if (inside === null) throw new Error('no frame');
  const bridge = new AppBridge(null, { name: 'test host', version: '1.0.0' }, capabilities, {
    hostContext: context,
  });
  const ask = (what: Asked['what'], params: unknown) => window.asked.push({ what, params });
  bridge.oncalltool = (params) => window.callTool(params);
  bridge.onupdatemodelcontext = async (params) => {
    ask('context', params);
    return {};
  };
  bridge.onmessage = async (params) => {
    ask('message', params);
    return {};
  };
  bridge.ondownloadfile = async (params) => {
    ask('download', params);
    return window.declines ? { isError: true } : {};
  };
  bridge.onopenlink = async (params) => {
    ask('link', params);
    return {};
  };
  bridge.onsizechange = ({ height }) => {
    if (height !== undefined) frame.style.height = `${height}px`;
  };
  window.setTheme = (theme) => void bridge.setHostContext({ ...context, theme });
  const ready = new Promise<void>((resolve) => {
    bridge.oninitialized = () => resolve();
  });
  await bridge.connect(new PostMessageTransport(inside, inside));
  frame.srcdoc = html;
  await ready;
  await bridge.sendToolInput({ arguments: input });
  if (result !== null) await bridge.sendToolResult(result);
};
