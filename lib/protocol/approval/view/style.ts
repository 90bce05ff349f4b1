import { createHash } from 'node:crypto'
import type { Theme, ThemeColors } from '../../../contracts/page.ts'

const light: Required<ThemeColors> = {
  accent: '#1f5fd6',
  onAccent: '#ffffff',
  strong: '#2a2f3a',
  onStrong: '#ffffff',
  page: '#f3f4f7',
  card: '#ffffff',
  soft: '#f3f5f9',
  ink: '#171a21',
  quiet: '#575e6d',
  line: '#dfe2e9',
}

const dark: Required<ThemeColors> = {
  accent: '#8fb5ff',
  onAccent: '#0c1730',
  strong: '#e6e9f0',
  onStrong: '#171a21',
  page: '#0e1014',
  card: '#181b21',
  soft: '#222630',
  ink: '#eceef3',
  quiet: '#a6adbb',
  line: '#2e333e',
}

/**
 * The style sheet with a theme, and its hash for the Content-Security-Policy.
 * @throws TypeError for an unknown name, and for a value that would end its declaration.
 */
export function styleOf(theme: Theme = {}): { readonly css: string; readonly hash: string } {
  const { dark: darkColors = {}, font, radius, ...colors } = theme
  const shape = {
    font: font ?? "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Noto Sans',sans-serif",
    radius: radius ?? '16px',
  }
  check({ ...colors, ...shape }, { ...light, ...shape })
  check(darkColors, dark)
  const css = `:root{color-scheme:light dark;${variables({ ...light, ...colors, ...shape })}}
@media(prefers-color-scheme:dark){:root{${variables({ ...dark, ...darkColors })}}}
${rules}`
  return { css, hash: `sha256-${createHash('sha256').update(css).digest('base64')}` }
}

function variables(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `--${name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}:${value}`)
    .join(';')
}

function check(values: object, known: object): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Object.hasOwn(known, name)) {
      throw new TypeError(`express-ciba: option "page.theme" has no "${name}"; it has ${Object.keys(known).join(', ')}`)
    }
    if (typeof value !== 'string' || /[{};<>\\]|\/\*/.test(value)) {
      throw new TypeError(`express-ciba: option "page.theme" must hold plain CSS values; "${name}" is not one`)
    }
  }
}

const rules = `* {
  box-sizing: border-box;
}
body {
  margin: 0;
  min-height: 100vh;
  min-height: 100dvh;
  display: flex;
  flex-direction: column;
  align-items: center;
  padding: 0 1rem 2rem;
  background: var(--page);
  color: var(--ink);
  font: 1rem/1.5 var(--font);
  overflow-wrap: anywhere;
  word-break: auto-phrase;
  -webkit-text-size-adjust: 100%;
}
.site {
  display: flex;
  align-items: center;
  gap: .5rem;
  padding: 1.25rem 0;
  color: var(--quiet);
  font-size: .875rem;
  letter-spacing: .01em;
}
.site svg {
  width: .875rem;
  height: .875rem;
  flex: none;
}
main {
  width: 100%;
  max-width: 30rem;
  padding: 2rem;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--card);
}
h1 {
  margin: 0;
  font-size: 1.375rem;
  line-height: 1.3;
  font-weight: 650;
  letter-spacing: -.011em;
  text-wrap: balance;
  hyphens: auto;
}
h2 {
  margin: 0 0 .5rem;
  font-size: .875rem;
  line-height: 1.45;
  font-weight: 500;
  color: var(--quiet);
}
h3 {
  margin: 0 0 .5rem;
  font-size: 1rem;
  font-weight: 600;
}
h3::first-letter,
dt::first-letter {
  text-transform: uppercase;
}
p {
  margin: 0;
}
.logo {
  display: block;
  width: 3rem;
  height: 3rem;
  margin: 0 0 1rem;
  border-radius: .75rem;
  object-fit: contain;
}
.message {
  margin: 1.5rem 0 0;
  padding: 1rem 1.25rem 1.125rem;
  border: 0;
  border-radius: calc(var(--radius) * .75);
  background: var(--soft);
}
.message > p:first-child,
legend {
  color: var(--quiet);
  font-size: .875rem;
}
.code {
  margin-top: .25rem;
  font-size: 1.75rem;
  line-height: 1.25;
  font-weight: 650;
  letter-spacing: -.005em;
  font-variant-numeric: tabular-nums;
}
.long {
  font-size: 1.25rem;
  line-height: 1.4;
}
legend {
  float: left;
  width: 100%;
  padding: 0;
  margin: 0 0 .5rem;
}
legend + * {
  clear: both;
}
.choice {
  display: flex;
  align-items: center;
  gap: .75rem;
  min-height: 3rem;
  padding: .5rem .875rem;
  margin-top: .5rem;
  border: 1px solid var(--quiet);
  border-radius: .625rem;
  background: var(--card);
  font-size: 1.25rem;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
  cursor: pointer;
}
.choice:has(:checked) {
  border-color: var(--accent);
  box-shadow: inset 0 0 0 1px var(--accent);
}
.choice input {
  flex: none;
  width: 1.25rem;
  height: 1.25rem;
  margin: 0;
  accent-color: var(--accent);
}
.hint {
  margin-top: .625rem;
  color: var(--quiet);
  font-size: .875rem;
}
.facts {
  margin: 1.25rem 0 0;
}
dl {
  margin: 0;
  font-size: .9375rem;
}
dl div {
  display: flex;
  flex-wrap: wrap;
  gap: 0 .75rem;
  padding: .125rem 0;
}
dt {
  flex: 0 0 auto;
  min-width: 4.5rem;
  color: var(--quiet);
}
dd {
  margin: 0;
  flex: 1 1 8rem;
}
.part {
  margin: 1.25rem 0 0;
  padding: 1.25rem 0 0;
  border-top: 1px solid var(--line);
}
ul {
  margin: 0;
  padding: 0;
  list-style: none;
}
li {
  position: relative;
  padding: .125rem 0 .125rem 1.5rem;
}
[dir=rtl] li {
  padding: .125rem 1.5rem .125rem 0;
}
li svg {
  position: absolute;
  inset-inline-start: 0;
  top: .4375rem;
  width: .9375rem;
  height: .9375rem;
  color: var(--quiet);
}
.card {
  padding: .875rem 1rem;
  border: 1px solid var(--line);
  border-radius: calc(var(--radius) * .625);
}
.card + .card {
  margin-top: .625rem;
}
.card dl div {
  display: grid;
  grid-template-columns: repeat(auto-fit,minmax(min(100%,7.5rem),1fr));
  padding: .25rem 0;
}
.card dl div + div {
  border-top: 1px solid var(--line);
}
.caution {
  margin: 1.5rem 0 .75rem;
  font-weight: 500;
}
.actions {
  display: grid;
  grid-template-columns: repeat(auto-fit,minmax(min(100%,8rem),1fr));
  gap: .75rem;
}
button,
.button {
  display: block;
  width: 100%;
  min-height: 3.25rem;
  padding: .625rem .5rem;
  border: 2px solid transparent;
  border-radius: calc(var(--radius) * .75);
  font: inherit;
  font-weight: 600;
  text-align: center;
  text-decoration: none;
  cursor: pointer;
}
a.button {
  display: grid;
  place-content: center;
}
.approve,
.button {
  background: var(--accent);
  color: var(--on-accent);
}
.deny {
  background: var(--strong);
  color: var(--on-strong);
}
.approve:hover,
.deny:hover,
.button:hover {
  filter: brightness(1.08);
}
:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 3px;
}
.ends {
  margin-top: .75rem;
  color: var(--quiet);
  font-size: .875rem;
  text-align: center;
}
.not-me button {
  min-height: 2.75rem;
  border-color: var(--quiet);
  background: transparent;
  color: var(--ink);
}
.not-me button:hover {
  background: var(--soft);
}
.closed {
  padding: 2.5rem 2rem;
  text-align: center;
}
.closed p {
  margin-top: .75rem;
  color: var(--quiet);
  text-wrap: pretty;
}
.closed .button {
  margin-top: 1.5rem;
}
.mark {
  display: inline-flex;
  width: 3.5rem;
  height: 3.5rem;
  margin-bottom: 1.25rem;
  border-radius: 50%;
  background: var(--soft);
  color: var(--ink);
}
.mark svg {
  width: 1.5rem;
  height: 1.5rem;
  margin: auto;
}
.approved .mark {
  background: var(--accent);
  color: var(--on-accent);
}
.denied .mark,
.reported .mark {
  background: var(--strong);
  color: var(--on-strong);
}
@media (max-width: 30rem) {
  body {
    padding: 0 0 2rem;
    background: var(--card);
  }
  .site {
    padding: 1rem 1.25rem 0;
    align-self: flex-start;
  }
  main {
    padding: 1.25rem;
    border: 0;
    border-radius: 0;
  }
  .closed {
    padding-top: 3rem;
  }
}
@media (forced-colors: active) {
  button,
  .button,
  .message,
  .mark {
    border: 2px solid ButtonText;
  }
}`
