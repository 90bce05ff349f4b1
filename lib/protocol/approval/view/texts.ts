import type { PageStrings, PageTexts } from '../../../contracts/page.ts'
import { languageOf } from '../../../core/language.ts'

const en: PageStrings = {
  asks: '{client} is asking for your approval',
  title: 'Approve a request',
  compare: 'Check that {client} shows you the same:',
  choose: 'Which of these does {client} show you?',
  chooseHint: 'A wrong choice denies the request.',
  asked: 'When',
  place: 'Where',
  grants: 'If you approve, {client} may',
  details: 'You would approve',
  otherScope: 'use “{scope}”',
  scopes: {
    openid: 'know that it is you',
    profile: 'see your name and profile',
    email: 'see your e-mail address',
    address: 'see your postal address',
    phone: 'see your phone number',
    offline_access: 'keep this access after today, until you end it',
  },
  approve: 'Approve',
  deny: 'Deny',
  notMe: 'I did not start this',
  notMeHint: 'Denies the request, and stops {client} from asking you again.',
  caution: 'Approve only what you started yourself.',
  ends: 'The request ends {when}.',
  signIn: 'Sign in',
  closed: {
    approved: ['Approved', 'You can close this page and go back to where you started.'],
    denied: ['Denied', 'Nothing was shared. You can close this page.'],
    reported: [
      'Thank you for telling us',
      'The request was denied, and whoever sent it cannot ask you again for now. You can close this page.',
    ],
    answered: ['Nothing left to answer', 'This request is over. You can close this page.'],
    expired: ['This request has expired', 'If you still want to go on, start again where you came from.'],
    unknown: [
      'We do not know this link',
      'It may be incomplete or too old. Open the link from your latest message, all of it.',
    ],
    wrong_user: [
      'This request cannot be shown here',
      'Open the link again, signed in to the account that the message was sent to.',
    ],
    signed_out: ['Please sign in', 'You have been signed out. Nothing was answered yet.'],
    step_up: ['Please sign in again', 'This request needs a newer or stronger sign-in. Nothing was answered yet.'],
    error: ['Something went wrong', 'Nothing was answered. Please try again in a moment.'],
  },
}

const fr: PageStrings = {
  asks: '{client} demande votre accord',
  title: 'Approuver une demande',
  compare: 'Vérifiez que {client} vous affiche la même chose :',
  choose: 'Que vous affiche {client} ?',
  chooseHint: 'Un mauvais choix refuse la demande.',
  asked: 'Quand',
  place: 'Où',
  grants: 'Si vous approuvez, {client} pourra',
  details: 'Vous approuveriez',
  otherScope: 'utiliser « {scope} »',
  scopes: {
    openid: 'savoir qu’il s’agit de vous',
    profile: 'voir votre nom et votre profil',
    email: 'voir votre adresse e-mail',
    address: 'voir votre adresse postale',
    phone: 'voir votre numéro de téléphone',
    offline_access: 'garder cet accès par la suite, jusqu’à ce que vous y mettiez fin',
  },
  approve: 'Approuver',
  deny: 'Refuser',
  notMe: 'Je n’ai rien demandé',
  notMeHint: 'Refuse la demande et empêche {client} de vous solliciter à nouveau.',
  caution: 'N’approuvez que ce que vous avez vous-même commencé.',
  ends: 'La demande expire {when}.',
  signIn: 'Se connecter',
  closed: {
    approved: ['Demande approuvée', 'Vous pouvez fermer cette page et revenir là où vous avez commencé.'],
    denied: ['Demande refusée', 'Rien n’a été partagé. Vous pouvez fermer cette page.'],
    reported: [
      'Merci de nous avoir prévenus',
      'La demande a été refusée et son auteur ne peut plus vous solliciter pour l’instant. Vous pouvez fermer cette page.',
    ],
    answered: ['Plus rien à répondre', 'Cette demande est close. Vous pouvez fermer cette page.'],
    expired: ['Cette demande a expiré', 'Si vous souhaitez continuer, recommencez là d’où vous venez.'],
    unknown: [
      'Nous ne connaissons pas ce lien',
      'Il est peut-être incomplet ou trop ancien. Ouvrez le lien entier de votre dernier message.',
    ],
    wrong_user: [
      'Cette demande ne peut pas être affichée ici',
      'Ouvrez à nouveau le lien en vous connectant au compte auquel le message a été envoyé.',
    ],
    signed_out: ['Veuillez vous connecter', 'Vous avez été déconnecté. Aucune réponse n’a été donnée.'],
    step_up: [
      'Veuillez vous reconnecter',
      'Cette demande exige une connexion plus récente ou plus sûre. Aucune réponse n’a été donnée.',
    ],
    error: ['Une erreur s’est produite', 'Aucune réponse n’a été donnée. Veuillez réessayer dans un instant.'],
  },
}

const de: PageStrings = {
  asks: '{client} bittet um Ihre Zustimmung',
  title: 'Anfrage bestätigen',
  compare: 'Prüfen Sie, ob {client} Ihnen dasselbe anzeigt:',
  choose: 'Was davon zeigt {client} Ihnen an?',
  chooseHint: 'Eine falsche Auswahl lehnt die Anfrage ab.',
  asked: 'Wann',
  place: 'Wo',
  grants: 'Wenn Sie zustimmen, darf {client}',
  details: 'Sie würden zustimmen',
  otherScope: '„{scope}“ verwenden',
  scopes: {
    openid: 'wissen, dass Sie es sind',
    profile: 'Ihren Namen und Ihr Profil sehen',
    email: 'Ihre E-Mail-Adresse sehen',
    address: 'Ihre Postanschrift sehen',
    phone: 'Ihre Telefonnummer sehen',
    offline_access: 'diesen Zugriff behalten, bis Sie ihn beenden',
  },
  approve: 'Zustimmen',
  deny: 'Ablehnen',
  notMe: 'Das habe ich nicht ausgelöst',
  notMeHint: 'Lehnt die Anfrage ab und hindert {client} daran, Sie erneut zu fragen.',
  caution: 'Stimmen Sie nur zu, wenn Sie das selbst begonnen haben.',
  ends: 'Die Anfrage endet {when}.',
  signIn: 'Anmelden',
  closed: {
    approved: ['Zugestimmt', 'Sie können diese Seite schließen und dort weitermachen, wo Sie begonnen haben.'],
    denied: ['Abgelehnt', 'Es wurde nichts weitergegeben. Sie können diese Seite schließen.'],
    reported: [
      'Danke für Ihren Hinweis',
      'Die Anfrage wurde abgelehnt, und der Absender kann Sie vorerst nicht mehr fragen. Sie können diese Seite schließen.',
    ],
    answered: ['Keine Antwort mehr nötig', 'Diese Anfrage ist beendet. Sie können diese Seite schließen.'],
    expired: ['Diese Anfrage ist abgelaufen', 'Wenn Sie weitermachen möchten, beginnen Sie dort, woher Sie kamen.'],
    unknown: [
      'Dieser Link ist uns nicht bekannt',
      'Vielleicht ist er unvollständig oder zu alt. Öffnen Sie den ganzen Link aus Ihrer neuesten Nachricht.',
    ],
    wrong_user: [
      'Diese Anfrage kann hier nicht angezeigt werden',
      'Öffnen Sie den Link erneut und melden Sie sich mit dem Konto an, an das die Nachricht ging.',
    ],
    signed_out: ['Bitte melden Sie sich an', 'Sie wurden abgemeldet. Es wurde noch nichts beantwortet.'],
    step_up: [
      'Bitte melden Sie sich erneut an',
      'Diese Anfrage verlangt eine neuere oder stärkere Anmeldung. Es wurde noch nichts beantwortet.',
    ],
    error: ['Etwas ist schiefgegangen', 'Es wurde nichts beantwortet. Bitte versuchen Sie es gleich noch einmal.'],
  },
}

const es: PageStrings = {
  asks: '{client} solicita su aprobación',
  title: 'Aprobar una solicitud',
  compare: 'Compruebe que {client} le muestra lo mismo:',
  choose: '¿Cuál de estos le muestra {client}?',
  chooseHint: 'Una elección incorrecta rechaza la solicitud.',
  asked: 'Cuándo',
  place: 'Dónde',
  grants: 'Si aprueba, {client} podrá',
  details: 'Usted aprobaría',
  otherScope: 'usar «{scope}»',
  scopes: {
    openid: 'saber que es usted',
    profile: 'ver su nombre y su perfil',
    email: 'ver su dirección de correo electrónico',
    address: 'ver su dirección postal',
    phone: 'ver su número de teléfono',
    offline_access: 'conservar este acceso en adelante, hasta que usted le ponga fin',
  },
  approve: 'Aprobar',
  deny: 'Rechazar',
  notMe: 'Yo no inicié esto',
  notMeHint: 'Rechaza la solicitud e impide que {client} vuelva a preguntarle.',
  caution: 'Apruebe solo lo que haya iniciado usted.',
  ends: 'La solicitud termina {when}.',
  signIn: 'Iniciar sesión',
  closed: {
    approved: ['Solicitud aprobada', 'Puede cerrar esta página y volver a donde empezó.'],
    denied: ['Solicitud rechazada', 'No se compartió nada. Puede cerrar esta página.'],
    reported: [
      'Gracias por avisarnos',
      'La solicitud se rechazó y quien la envió no podrá preguntarle de nuevo por ahora. Puede cerrar esta página.',
    ],
    answered: ['No queda nada por responder', 'Esta solicitud ha terminado. Puede cerrar esta página.'],
    expired: ['Esta solicitud ha caducado', 'Si desea continuar, empiece de nuevo en el lugar de donde vino.'],
    unknown: [
      'No conocemos este enlace',
      'Puede estar incompleto o ser demasiado antiguo. Abra el enlace completo de su último mensaje.',
    ],
    wrong_user: [
      'Esta solicitud no se puede mostrar aquí',
      'Abra el enlace de nuevo con la cuenta a la que se envió el mensaje.',
    ],
    signed_out: ['Inicie sesión', 'Su sesión se ha cerrado. Aún no se ha respondido nada.'],
    step_up: [
      'Vuelva a iniciar sesión',
      'Esta solicitud exige un inicio de sesión más reciente o más seguro. Aún no se ha respondido nada.',
    ],
    error: ['Algo salió mal', 'No se ha respondido nada. Inténtelo de nuevo en un momento.'],
  },
}

const pt: PageStrings = {
  asks: '{client} está pedindo sua aprovação',
  title: 'Aprovar um pedido',
  compare: 'Confira se {client} mostra a você o mesmo:',
  choose: 'Qual destes {client} mostra a você?',
  chooseHint: 'Uma escolha errada nega o pedido.',
  asked: 'Quando',
  place: 'Onde',
  grants: 'Se você aprovar, {client} poderá',
  details: 'Você aprovaria',
  otherScope: 'usar “{scope}”',
  scopes: {
    openid: 'saber que é você',
    profile: 'ver seu nome e perfil',
    email: 'ver seu endereço de e-mail',
    address: 'ver seu endereço postal',
    phone: 'ver seu número de telefone',
    offline_access: 'manter este acesso daqui em diante, até você encerrá-lo',
  },
  approve: 'Aprovar',
  deny: 'Negar',
  notMe: 'Não fui eu que iniciei isto',
  notMeHint: 'Nega o pedido e impede que {client} pergunte a você de novo.',
  caution: 'Aprove somente o que você mesmo iniciou.',
  ends: 'O pedido termina {when}.',
  signIn: 'Entrar',
  closed: {
    approved: ['Pedido aprovado', 'Você pode fechar esta página e voltar para onde começou.'],
    denied: ['Pedido negado', 'Nada foi compartilhado. Você pode fechar esta página.'],
    reported: [
      'Obrigado por nos avisar',
      'O pedido foi negado e quem o enviou não pode perguntar a você de novo por enquanto. Você pode fechar esta página.',
    ],
    answered: ['Não há mais nada a responder', 'Este pedido terminou. Você pode fechar esta página.'],
    expired: ['Este pedido expirou', 'Se ainda quiser continuar, comece de novo no lugar de onde veio.'],
    unknown: [
      'Não conhecemos este link',
      'Ele pode estar incompleto ou ser antigo demais. Abra o link inteiro da sua última mensagem.',
    ],
    wrong_user: [
      'Este pedido não pode ser mostrado aqui',
      'Abra o link de novo, com a conta para a qual a mensagem foi enviada.',
    ],
    signed_out: ['Entre na sua conta', 'Sua sessão foi encerrada. Nada foi respondido ainda.'],
    step_up: [
      'Entre novamente na sua conta',
      'Este pedido exige um acesso mais recente ou mais forte. Nada foi respondido ainda.',
    ],
    error: ['Algo deu errado', 'Nada foi respondido. Tente de novo em instantes.'],
  },
}

const ja: PageStrings = {
  asks: '{client} が承認を求めています',
  title: 'リクエストの承認',
  compare: '{client} の画面に同じ内容が表示されていることを確認してください',
  choose: '{client} の画面に表示されているのはどれですか？',
  chooseHint: '間違ったものを選ぶと、リクエストは拒否されます。',
  asked: '日時',
  place: '場所',
  grants: '承認すると、{client} は次のことができます',
  details: '承認の対象',
  otherScope: '「{scope}」を利用する',
  scopes: {
    openid: 'ご本人であることを確認する',
    profile: '名前とプロフィールを見る',
    email: 'メールアドレスを見る',
    address: '住所を見る',
    phone: '電話番号を見る',
    offline_access: '取り消されるまで、このアクセスを今後も続ける',
  },
  approve: '承認する',
  deny: '拒否する',
  notMe: '心当たりがありません',
  notMeHint: 'リクエストを拒否し、{client} からの今後のリクエストを止めます。',
  caution: 'ご自身で始めた操作だけを承認してください。',
  ends: 'このリクエストの期限：{when}',
  signIn: 'ログイン',
  closed: {
    approved: ['承認しました', 'このページを閉じて、元の画面に戻ってください。'],
    denied: ['拒否しました', '情報は共有されていません。このページは閉じてかまいません。'],
    reported: [
      'ご報告ありがとうございます',
      'リクエストは拒否されました。送信元からの新しいリクエストは当面届きません。このページは閉じてかまいません。',
    ],
    answered: ['回答は不要です', 'このリクエストは終了しました。このページは閉じてかまいません。'],
    expired: ['リクエストの有効期限が切れました', '続ける場合は、元の画面からもう一度やり直してください。'],
    unknown: [
      'このリンクは確認できません',
      'リンクが途中で切れているか、古い可能性があります。最新のメッセージにあるリンク全体を開いてください。',
    ],
    wrong_user: [
      'このリクエストはここでは表示できません',
      'メッセージの届いたアカウントでログインし、もう一度リンクを開いてください。',
    ],
    signed_out: ['ログインしてください', 'ログアウトされています。まだ何も回答されていません。'],
    step_up: [
      'もう一度ログインしてください',
      'このリクエストには、より新しい、またはより強力なログインが必要です。まだ何も回答されていません。',
    ],
    error: ['エラーが発生しました', 'まだ何も回答されていません。しばらくしてからもう一度お試しください。'],
  },
}

const builtIn: Readonly<Record<string, PageStrings>> = { en, fr, de, es, pt, ja }

/** The sentences of every language, with the host's replacements. A new language says in English what it leaves out. */
export function pageStrings(texts: PageTexts = {}): ReadonlyMap<string, PageStrings> {
  const all = new Map<string, PageStrings>(Object.entries(builtIn))
  for (const [tag, own] of Object.entries(texts)) {
    const key = tag.toLowerCase()
    const base = all.get(key) ?? builtIn[languageOf(key)] ?? en
    all.set(key, {
      ...base,
      ...own,
      scopes: { ...base.scopes, ...own.scopes },
      closed: { ...base.closed, ...own.closed },
    })
  }
  return all
}
