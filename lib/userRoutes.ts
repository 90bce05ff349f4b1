import type { Router } from 'express'
import type { Backchannel } from './backchannel.ts'
import { onlyMethods } from './core/http/respond.ts'
import { createWatched } from './core/http/traced.ts'
import { acceptedLanguages } from './core/language.ts'
import { completionEndpoint } from './protocol/approval/completionEndpoint.ts'
import { approvalPage } from './protocol/approval/page.ts'
import { createQuestion } from './protocol/approval/view/question.ts'
import { noticeStatusEndpoint } from './protocol/notice/statusEndpoint.ts'

/** The routes that are not for clients: the page, the completion of a screen of the host's own, and the reports of carriers. */
export function mountUserRoutes(router: Router, { parts }: Backchannel): void {
  const { settings, urls } = parts
  const { paths, session } = settings
  const watched = createWatched(settings.telemetry)

  if (session !== undefined) {
    const page = approvalPage({
      ...parts,
      ...settings,
      session,
      origin: urls.origin,
      find: parts.findByHandle,
      complete: parts.settle,
      block: parts.blocks.block,
      question: createQuestion({ ...parts, ...settings, ...settings.page }),
      show: (req, res, page, locale) => {
        const languages = [locale, ...acceptedLanguages(req.headers['accept-language'])]
        const { status, headers, body } = parts.render(page, languages)
        res.writeHead(status, headers).end(body)
      },
    })
    if (session.verifyToken !== undefined) {
      const [readJson, complete] = completionEndpoint({
        ...parts,
        ...settings,
        session,
        find: parts.findByHandle,
        complete: parts.settle,
      })
      router.route(paths.complete).post(readJson, watched('completion', complete)).all(onlyMethods('POST'))
    }
    // last, because any path below that of the page is a page
    router.route(paths.approve).get(watched('approval_page', page.open)).all(onlyMethods('GET', 'HEAD'))
    router
      .route(`${paths.approve}/:id`)
      .get(watched('approval_page', page.ask))
      .post(watched('approval_page', page.decide))
      .all(onlyMethods('GET', 'HEAD', 'POST'))
  }

  if (parts.channels.some((each) => each.readStatus !== undefined)) {
    router
      .route(`${paths.notices}/:channel/:id`)
      .post(watched('notice_status', noticeStatusEndpoint(parts.noticeStatus)))
      .all(onlyMethods('POST'))
  }
}
