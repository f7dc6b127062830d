// Where key-encryption keys lie, and what is kept apart from the data beside them.
import { defaultKekFolder } from "../vault/vault.ts";
import { environmentOf } from "./environment.ts";

/** `ATTUNE_KEK_FOLDER`, or the default. */
export const kekFolder = (): string => environmentOf()["ATTUNE_KEK_FOLDER"] ?? defaultKekFolder();
