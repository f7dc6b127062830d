// What a project's name may be: it is a folder's name too.

const PROJECT_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** A project that cannot be called so; the message says how. */
export class ProjectNameError extends Error {
  override readonly name = "ProjectNameError";
}

/** Throws ProjectNameError. */
export function checkProjectName(name: string): void {
  if (PROJECT_NAME.test(name)) return;
  throw new ProjectNameError(`"${name}" is no project name: a–z, 0–9, - and _, a letter or digit first, at most 64`);
}
