export function optionsDocument(): string
