import type { RepoType } from "./types";

// Where a repository of a type lives, on the API and in the address bar.
export interface RepoPlace {
  type: RepoType;
  ns: string;
  name: string;
}

const prefix: Record<RepoType, string> = { model: "", dataset: "/datasets", space: "/spaces" };

export const fullName = (place: RepoPlace): string => `${place.ns}/${place.name}`;
export const apiOf = (place: RepoPlace): string => `/api/${place.type}s/${encodeURIComponent(place.ns)}/${encodeURIComponent(place.name)}`;
export const pageOf = (place: RepoPlace): string => `${prefix[place.type]}/${encodeURIComponent(place.ns)}/${encodeURIComponent(place.name)}`;
// A revision is one segment of the path, so its slashes are encoded; a file's path keeps them.
export const encodeRevision = (revision: string): string => encodeURIComponent(revision);
export const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");
export const bytesOf = (place: RepoPlace, revision: string, path: string): string =>
  `${pageOf(place)}/resolve/${encodeRevision(revision)}/${encodePath(path)}`;
