import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { html, jsonBlock } from '../../src/kernel/html.ts';

describe('html', () => {
  test('escapes every value', () => {
    expect(html`<p title="${`"'`}">${'<script>&'}</p>`.markup).toBe(
      '<p title="&quot;&#39;">&lt;script&gt;&amp;</p>',
    );
  });

  test('takes markup that it made itself, alone or in a list', () => {
    const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`);
    expect(html`<ul>${items}</ul>${html`<hr>`}`.markup).toBe('<ul><li>a</li><li>&lt;b&gt;</li></ul><hr>');
  });

  test('lets no value open or close a tag or an attribute', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(html`${value}`.markup).not.toMatch(/[<>"']/);
      }),
    );
  });
});

describe('a JSON block', () => {
  test('reads back, and cannot be ended by a value', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('', '</script><script>alert(1)</script>', '<!--'),
        (data, attack) => {
          const { markup } = jsonBlock('x', { data, attack });
          const inner = markup.slice('<script type="application/json" id="x">'.length, -'</script>'.length);
          expect(inner).not.toContain('<');
          expect(JSON.parse(inner)).toEqual(JSON.parse(JSON.stringify({ data, attack })));
        },
      ),
    );
  });
});
