/** `monitaur/worker/script`: a worker's file, to be named in `new Worker(new URL(…))`, not imported. */
export {}
