// Where key-encryption keys lie, and what is kept apart from the data beside them.
import { defaultKekFolder } from "../vault/vault.ts";

/** `ATTUNE_KEK_FOLDER`, or the default. */
export const kekFolder = (): string => process.env["ATTUNE_KEK_FOLDER"] ?? defaultKekFolder();
