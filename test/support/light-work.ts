/** Light work, so that a suite measures nothing and takes no time. */
const light: Readonly<Record<string, string>> = { fib: '&n=12', sleep: '&ms=3' };

/** What to add to a query of a workload so that its tasks take no time. */
export function lightQuery(workload: string): string {
  return light[workload] ?? '';
}
