/** What needs an operating system below it: folders of the user. The other entry points run anywhere. */
export { nativeFolder, userCacheFolder } from "./host/cache-folders.js";
