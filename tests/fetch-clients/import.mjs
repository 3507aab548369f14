// A dynamic import is resolved from the file that it is in.
export default (specifier) => import(specifier);
