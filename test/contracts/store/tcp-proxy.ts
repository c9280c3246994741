import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network that fails on request, between a store and its database. */
export interface TcpProxy {
  readonly host: string;
  readonly port: number;
  /** What the database answers from now on over the connections of now is lost, and they end after a while. */
  loseReplies(): void;
  /** What is sent from now on over the connections of now never arrives, and they end after a while. */
  loseRequests(): void;
  /** Connections are taken, and nothing passes. */
  blackHole(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  losesReplies: boolean;
  losesRequests: boolean;
}

const LINGER_MS = 700;

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let silent = false;
  const listener = createServer((client) => {
    const server = connect(target.port, target.host);
    const pair: Pair = { client, server, losesReplies: silent, losesRequests: silent };
    pairs.add(pair);
    const end = (): void => {
      client.destroy();
      server.destroy();
      pairs.delete(pair);
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    client.on('data', (chunk) => pair.losesRequests || server.write(chunk));
    server.on('data', (chunk) => pair.losesReplies || client.write(chunk));
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const lose = (what: 'losesReplies' | 'losesRequests'): void => {
    for (const pair of pairs) {
      pair[what] = true;
      setTimeout(() => pair.client.destroy(), LINGER_MS);
    }
  };
  return {
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    loseReplies: () => lose('losesReplies'),
    loseRequests: () => lose('losesRequests'),
    blackHole: () => {
      silent = true;
      for (const pair of pairs) pair.losesReplies = pair.losesRequests = true;
    },
    close: async () => {
      for (const { client } of pairs) client.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}
