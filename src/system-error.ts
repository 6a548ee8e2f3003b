/** Whether it is what Node throws when the system refuses with this code, such as `ENOENT`. */
export function isSystemError(error: unknown, code: string): error is Error {
  return error instanceof Error && 'code' in error && error.code === code;
}
