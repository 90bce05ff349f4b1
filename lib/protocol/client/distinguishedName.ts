/** Object identifiers of attribute types, by the names that OpenSSL and RFC 4514 give them, and some older ones. */
const oids: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  SURNAME: '2.5.4.4',
  SERIALNUMBER: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  S: '2.5.4.8',
  ST: '2.5.4.8',
  STREET: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  TITLE: '2.5.4.12',
  T: '2.5.4.12',
  BUSINESSCATEGORY: '2.5.4.15',
  POSTALCODE: '2.5.4.17',
  GN: '2.5.4.42',
  GIVENNAME: '2.5.4.42',
  ORGANIZATIONIDENTIFIER: '2.5.4.97',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  E: '1.2.840.113549.1.9.1',
  EMAIL: '1.2.840.113549.1.9.1',
  EMAILADDRESS: '1.2.840.113549.1.9.1',
  JURISDICTIONL: '1.3.6.1.4.1.311.60.2.1.1',
  JURISDICTIONLOCALITYNAME: '1.3.6.1.4.1.311.60.2.1.1',
  JURISDICTIONST: '1.3.6.1.4.1.311.60.2.1.2',
  JURISDICTIONSTATEORPROVINCENAME: '1.3.6.1.4.1.311.60.2.1.2',
  JURISDICTIONC: '1.3.6.1.4.1.311.60.2.1.3',
  JURISDICTIONCOUNTRYNAME: '1.3.6.1.4.1.311.60.2.1.3',
}

// Type, value and what follows it. The branches of the value begin with different characters: nothing is tried twice.
const attribute = /[ ]*(?<type>[A-Za-z][A-Za-z0-9-]*|[0-9.]+)[ ]*=(?<value>(?:[^\\,;+"]|\\.)*)(?<end>[,;+]|$)/gsuy

/**
 * A distinguished name in one spelling. RFC 4514 allows many for the same name: types by name or number, escapes by
 * character or byte, values in text or hex, the parts of a multi-valued step in any order. Values keep their case.
 * @returns `undefined` when the text is no distinguished name.
 */
export function canonicalName(text: string): string | undefined {
  const steps: string[][] = [[]]
  let end: string | undefined
  for (const { groups = {} } of text.matchAll(attribute)) {
    const type = groups.type?.toUpperCase() ?? ''
    const value = textOf(groups.value ?? '')
    if (value === undefined) return undefined
    steps.at(-1)?.push(`${oids[type] ?? type}=${JSON.stringify(value)}`)
    end = groups.end
    if (end === ',' || end === ';') steps.push([])
  }
  // otherwise it stopped before the end of the text
  return end === '' ? steps.map((step) => step.sort().join('+')).join(',') : undefined
}

/** As `canonicalName`, of a subject as Node prints it: one step a line, in the opposite order of RFC 4514. */
export function canonicalSubject(subject: string): string | undefined {
  return canonicalName(subject.split('\n').reverse().join(','))
}

function textOf(raw: string): string | undefined {
  const hex = /^ *#((?:[0-9a-f]{2})+) *$/i.exec(raw)?.[1]
  if (hex !== undefined) return textIn(Buffer.from(hex, 'hex'))
  const parts = [...withoutSpaces(raw).matchAll(/\\([0-9a-f]{2})|\\(.)|[^\\]+/gisu)]
  return Buffer.concat(
    parts.map(([all, byte, char]) => (byte === undefined ? Buffer.from(char ?? all) : Buffer.from(byte, 'hex'))),
  ).toString()
}

/** Spaces around a value mean nothing, unless they are escaped. */
function withoutSpaces(raw: string): string {
  const trimmed = raw.replace(/^ +/, '').trimEnd()
  return /(?:^|[^\\])(?:\\\\)*\\$/.test(trimmed) ? `${trimmed} ` : trimmed
}

const encodings: Readonly<Record<number, 'utf8' | 'latin1'>> = { 12: 'utf8', 19: 'latin1', 20: 'latin1', 22: 'latin1' }

/** The text in a DER-encoded string of up to 127 bytes. */
function textIn(der: Buffer): string | undefined {
  const encoding = encodings[der[0] ?? 0]
  return encoding === undefined || der[1] !== der.length - 2 ? undefined : der.toString(encoding, 2)
}
