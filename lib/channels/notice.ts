import type { Notice } from '../contracts.ts'

/** The sentences of a notice in one language. Each may be replaced. */
export interface NoticeStrings {
  /** Before the link, when the client sends no `custom_message`. */
  readonly message: string
  /** Subject of the e-mail. Holds nothing that came with the request. */
  readonly subject: string
  /** `{client}` asks. */
  readonly from: string
  /** Label of the binding message. */
  readonly code: string
  /** On the button. */
  readonly open: string
  /** `{minutes}` left, and what to do with a request that one did not start. */
  readonly ends: string
  /** Where links of ours lead: `{domain}`. */
  readonly domain: string
}

const strings: Readonly<Record<string, NoticeStrings>> = {
  en: {
    message: "To verify it's you, click this link:",
    subject: 'Please confirm a request',
    from: '{client} is asking for your approval.',
    code: 'It should show this code:',
    open: 'Review the request',
    ends: 'The link works for {minutes} minutes. If you did not start this, open it and say so, or do nothing.',
    domain: 'Our links always lead to {domain}. We never ask for your password by message.',
  },
  fr: {
    message: 'Pour confirmer votre identité, cliquez sur ce lien :',
    subject: 'Merci de confirmer une demande',
    from: '{client} demande votre accord.',
    code: 'Elle doit afficher ce code :',
    open: 'Examiner la demande',
    ends: "Le lien est valable {minutes} minutes. Si vous n'êtes pas à l'origine de cette demande, ouvrez-le pour le signaler, ou ne faites rien.",
    domain: 'Nos liens mènent toujours à {domain}. Nous ne demandons jamais votre mot de passe par message.',
  },
  de: {
    message: 'Bestätigen Sie über diesen Link, dass Sie es sind:',
    subject: 'Bitte bestätigen Sie eine Anfrage',
    from: '{client} bittet um Ihre Zustimmung.',
    code: 'Sie sollte diesen Code zeigen:',
    open: 'Anfrage ansehen',
    ends: 'Der Link gilt {minutes} Minuten. Wenn Sie das nicht ausgelöst haben, öffnen Sie ihn und melden Sie es, oder tun Sie nichts.',
    domain: 'Unsere Links führen immer zu {domain}. Wir fragen nie per Nachricht nach Ihrem Passwort.',
  },
  es: {
    message: 'Para confirmar que es usted, pulse este enlace:',
    subject: 'Confirme una solicitud',
    from: '{client} solicita su aprobación.',
    code: 'Debe mostrar este código:',
    open: 'Revisar la solicitud',
    ends: 'El enlace funciona durante {minutes} minutos. Si usted no inició esto, ábralo e indíquelo, o no haga nada.',
    domain: 'Nuestros enlaces siempre llevan a {domain}. Nunca pedimos su contraseña por mensaje.',
  },
  pt: {
    message: 'Para confirmar que é você, clique neste link:',
    subject: 'Confirme um pedido',
    from: '{client} está pedindo sua aprovação.',
    code: 'Deve mostrar este código:',
    open: 'Ver o pedido',
    ends: 'O link funciona por {minutes} minutos. Se você não iniciou isto, abra-o e avise, ou não faça nada.',
    domain: 'Nossos links sempre levam a {domain}. Nunca pedimos sua senha por mensagem.',
  },
  ja: {
    message: 'ご本人確認のため、次のリンクを開いてください：',
    subject: 'リクエストの確認のお願い',
    from: '{client} が承認を求めています。',
    code: '次のコードが表示されます：',
    open: 'リクエストを確認する',
    ends: 'このリンクは {minutes} 分間有効です。お心当たりがない場合は、開いて報告するか、何もしないでください。',
    domain: 'リンク先は常に {domain} です。メッセージでパスワードをお尋ねすることはありません。',
  },
}

/** Sentences by language, for a channel to replace some or add a language. */
export type NoticeTexts = Readonly<Record<string, Partial<NoticeStrings>>>

/** The sentences for a BCP 47 tag: that of the tag, of its language, or English. */
export function noticeStrings(locale: string, texts: NoticeTexts = {}): NoticeStrings {
  const language = locale.toLowerCase().split('-')[0] ?? 'en'
  const base = strings[language] ?? strings.en
  return { ...(base as NoticeStrings), ...texts[language], ...texts[locale] }
}

/** The message and the link, with one space between them unless there is white space already. */
export function lineOf({ message, link }: Pick<Notice, 'message' | 'link'>): string {
  return /\s$/.test(message) || message === '' ? message + link : `${message} ${link}`
}
