const PING_MS = 60_000;
const CHECK_MS = 5_000;

/**
 * Ends the page when nobody works at it: what it shows must not outlive the session. While somebody does, the server
 * is told now and then, and says when the session has ended there.
 */
export function watchSession({ idleMs, until }: { idleMs: number; until: number }): void {
  let active = Date.now();
  let pinged = Date.now();
  for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart'])
    addEventListener(
      kind,
      () => {
        active = Date.now();
      },
      { passive: true, capture: true },
    );
  setInterval(() => {
    const now = Date.now();
    if (now - active > idleMs) return void leave('idle');
    if (now > until) return void leave('ended');
    if (now - pinged < PING_MS || active < pinged) return;
    pinged = now;
    void fetch('/console/api/session').then(
      ({ status }) => {
        if (status === 401) void leave('ended');
      },
      () => undefined,
    );
  }, CHECK_MS);
}

async function leave(why: 'idle' | 'ended'): Promise<void> {
  await fetch(`/console/sign-out?left=${why}`, { method: 'POST', redirect: 'manual' }).catch(() => undefined);
  location.assign(`/console?left=${why}`);
}
