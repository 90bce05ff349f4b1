import type { Router } from 'express'
import type { AskContext } from './core/context.ts'
import { onlyMethods, traced } from './core/http/respond.ts'
import { completionEndpoint } from './protocol/approval/completionEndpoint.ts'
import { approvalPage } from './protocol/approval/page.ts'
import { createRender } from './protocol/approval/view/render.ts'
import { statusEndpoint } from './protocol/notice/statusEndpoint.ts'

/** The routes that are not for clients: the page, the completion by a screen of the host's own, carrier reports. */
export function mountUserRoutes(router: Router, ctx: AskContext): void {
  const { session, telemetry, settings, urls } = ctx
  const { paths } = settings

  if (session?.verifyToken !== undefined) {
    const [readBody, complete] = completionEndpoint(ctx, session)
    router
      .route(paths.complete)
      .post(readBody, traced(telemetry, 'completion', complete))
      .all(onlyMethods('POST'))
  }
  if (session !== undefined) {
    const render = createRender(settings.page, ctx.hooks, new URL(urls.origin).host)
    const page = approvalPage(ctx, session, render)
    // after the completion, because any path below that of the page is a page
    router
      .route(paths.approve)
      .get(traced(telemetry, 'approval_page', page.open))
      .all(onlyMethods('GET', 'HEAD'))
    router
      .route(`${paths.approve}/:id`)
      .get(traced(telemetry, 'approval_page', page.ask))
      .post(traced(telemetry, 'approval_page', page.decide))
      .all(onlyMethods('GET', 'HEAD', 'POST'))
  }
  if (ctx.channels.some((each) => each.readStatus !== undefined)) {
    router
      .route(`${paths.notices}/:channel/:id`)
      .post(traced(telemetry, 'notice_status', statusEndpoint(ctx)))
      .all(onlyMethods('POST'))
  }
}
