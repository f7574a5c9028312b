export { exitCode, UserError } from "./base/errors.ts";
