import type { Notice, NoticeStrings, NoticeTexts } from '../contracts/channel.ts'
import { languageOf, languageTag } from './language.ts'

const strings = {
  en: {
    message: "To verify it's you, click this link:",
    subject: 'Please confirm a request',
    from: '{client} is asking for your approval.',
    code: 'It should show you this:',
    open: 'Review the request',
    ends: 'The link works for {time}. If you did not start this, open it and say so, or do nothing.',
    domain: 'Our links always lead to {domain}. We never ask for your password by message.',
  },
  fr: {
    message: 'Est-ce bien vous ? Confirmez avec ce lien :',
    subject: 'Merci de confirmer une demande',
    from: '{client} demande votre accord.',
    code: 'Vous devriez y voir :',
    open: 'Examiner la demande',
    ends: "Le lien est valable {time}. Si vous n'êtes pas à l'origine de cette demande, ouvrez-le pour le signaler, ou ne faites rien.",
    domain: 'Nos liens mènent toujours à {domain}. Nous ne demandons jamais votre mot de passe par message.',
  },
  de: {
    message: 'Sind Sie es? Bitte hier bestätigen:',
    subject: 'Bitte bestätigen Sie eine Anfrage',
    from: '{client} bittet um Ihre Zustimmung.',
    code: 'Dort sollte Ihnen angezeigt werden:',
    open: 'Anfrage ansehen',
    ends: 'Der Link gilt {time}. Wenn Sie das nicht ausgelöst haben, öffnen Sie ihn und melden Sie es, oder tun Sie nichts.',
    domain: 'Unsere Links führen immer zu {domain}. Wir fragen nie per Nachricht nach Ihrem Passwort.',
  },
  es: {
    message: 'Confirme que es usted en este enlace:',
    subject: 'Confirme una solicitud',
    from: '{client} solicita su aprobación.',
    code: 'Debería mostrarle esto:',
    open: 'Revisar la solicitud',
    ends: 'El enlace funciona durante {time}. Si usted no inició esto, ábralo e indíquelo, o no haga nada.',
    domain: 'Nuestros enlaces siempre llevan a {domain}. Nunca pedimos su contraseña por mensaje.',
  },
  pt: {
    message: 'Confirme sua identidade neste link:',
    subject: 'Confirme um pedido',
    from: '{client} está pedindo sua aprovação.',
    code: 'Deve mostrar isto a você:',
    open: 'Ver o pedido',
    ends: 'O link funciona por {time}. Se você não iniciou isto, abra-o e avise, ou não faça nada.',
    domain: 'Nossos links sempre levam a {domain}. Nunca pedimos sua senha por mensagem.',
  },
  ja: {
    message: 'ご本人確認のため、次のリンクを開いてください：',
    subject: 'リクエストの確認のお願い',
    from: '{client} が承認を求めています。',
    code: '次の内容が表示されているはずです：',
    open: 'リクエストを確認する',
    ends: 'このリンクの有効期間は {time}です。お心当たりがない場合は、開いて報告するか、何もしないでください。',
    domain: 'リンク先は常に {domain} です。メッセージでパスワードをお尋ねすることはありません。',
  },
} satisfies Readonly<Record<string, NoticeStrings>>

const builtIn: ReadonlyMap<string, NoticeStrings> = new Map(Object.entries(strings))

/** The sentences for a BCP 47 tag: those of the tag, else of its language, else English; `texts` replaces some. */
export function noticeStrings(locale: string, texts: NoticeTexts = {}): NoticeStrings {
  const known = builtIn.get(locale)
  if (known !== undefined) return { ...known, ...texts[locale] }
  const tag = languageTag(locale)
  const language = languageOf(tag)
  return { ...(builtIn.get(language) ?? strings.en), ...texts[language], ...texts[tag] }
}

/** Seconds as minutes or hours in words. */
export function durationIn(locale: string, seconds: number): string {
  const minutes = Math.max(1, Math.round(seconds / 60))
  const [value, unit] = minutes < 120 ? [minutes, 'minute'] : [Math.round(minutes / 60), 'hour']
  return new Intl.NumberFormat(languageTag(locale), { style: 'unit', unit, unitDisplay: 'long' }).format(value)
}

/** The message and the link, with one space between them unless there is white space already. */
export function lineOf({ message, link }: Pick<Notice, 'message' | 'link'>): string {
  return /\s$/.test(message) || message === '' ? message + link : `${message} ${link}`
}
