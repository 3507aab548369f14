/** Object.hasOwn, also for engines without it: what such an engine lacks is said in words, by code that uses this. */
export const hasOwn = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
