/** Where kept songs are, for the page and the worker alike. Knows no Vue and no DOM. */
export const KEPT = 'kept-songs'
export const keptPath = (id: string): string => `/kept/${id}`
