/** Every name of the options, and no other: the compiler compares them with the type. */
export type OptionNames<Options extends object> = Readonly<Record<keyof Options, true>>

/**
 * Refuses options that a factory does not know: most are typing slips, or names of 0.1.
 * @throws TypeError that names the factory, the option and what to do.
 */
export function checkOptionNames<Options extends object>(
  factory: string,
  options: Options,
  names: OptionNames<NoInfer<Options>>,
): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`express-ciba: ${factory}: the options must be an object`)
  }
  const name = Object.keys(options).find((each) => !Object.hasOwn(names, each))
  if (name !== undefined) throw new TypeError(`express-ciba: ${factory}: ${remedyFor(name, names)}`)
}

/** What 0.1 had in milliseconds is in seconds, under the same name otherwise. */
function remedyFor(name: string, names: object): string {
  const inSeconds = name.replace(/Ms$/, 'Seconds')
  if (Object.hasOwn(names, inSeconds)) {
    return `option "${name}" is "${inSeconds}" now, in seconds: divide its value by 1000`
  }
  return `unknown option "${name}"; check the spelling, or remove it. There are: ${Object.keys(names).join(', ')}`
}
