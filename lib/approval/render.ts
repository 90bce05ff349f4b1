import type { View } from './view.ts'

/** Renders a page. */
export function renderPage(view: View): string {
  const rows =
    view.state === 'ask'
      ? `<h1>${text(view.clientName)}</h1><p>${text(view.bindingMessage ?? '')}</p><p>${text(view.scope.join(' '))}</p>
<form method="post" action="${text(view.action)}"><input type="hidden" name="csrf" value="${text(view.csrf)}">
<button name="action" value="approve">Approve</button><button name="action" value="deny">Deny</button>
<button name="action" value="not_me">I did not start this</button></form>`
      : `<h1>${view.state}</h1>`
  return `<!doctype html><html lang="${text(view.locale)}"><meta charset="utf-8"><title>Approve</title><main>${rows}</main></html>`
}

/** Headers of every page. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
}

function text(value: string): string {
  return value.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`)
}
