/** `0.123`, `4.56`, `12.3` */
export function ratio(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** `61.2 %` */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
