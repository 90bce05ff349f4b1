/** The user's browser, as far as the page needs one: follows the link, keeps cookies, posts the form. */
export function deviceOf(sub: string | undefined) {
  const cookies = new Map<string, string>()

  async function go(url: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: {
        ...(sub === undefined ? {} : { 'x-user': sub }),
        ...(cookies.size === 0 ? {} : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
        ...init.headers,
      },
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      const equals = pair.indexOf('=')
      cookies.set(pair.slice(0, equals), pair.slice(equals + 1))
    }
    return response
  }

  return {
    cookies,
    go,
    /** Opens the link and follows it to the page. */
    async open(link: string): Promise<{ url: string; response: Response; html: string }> {
      const opened = await go(link)
      const url = new URL(opened.headers.get('location') ?? link, link).href
      const response = opened.status === 303 ? await go(url) : opened
      return { url, response, html: await response.text() }
    },
    /** Presses a button of the page. */
    async press(
      page: { url: string; html: string },
      action: string,
      headers: Record<string, string> = {},
    ): Promise<Response> {
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
      return go(page.url, { method: 'POST', body: new URLSearchParams({ csrf, action }), headers })
    },
  }
}
