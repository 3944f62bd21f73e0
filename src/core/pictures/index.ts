/** Pictures as vectors, without a model. */
export { DESCRIPTOR_LENGTH, type EmbedPixelsOptions, embedPixels } from './descriptor.ts'
export { type Planes, THUMBNAIL_SIZE, thumbnail } from './thumbnail.ts'
