/** What stands for one item on the page. */
export interface View<T> {
  readonly element: HTMLElement
  update(item: T): void
}

/**
 * A list on the page that follows a list of items. The element of an item stays the same as long as the item stays, so
 * that focus and selection survive.
 */
export class KeyedList<T> {
  readonly #parent: HTMLElement
  readonly #make: (item: T) => View<T>
  readonly #views = new Map<string, View<T>>()

  constructor(parent: HTMLElement, make: (item: T) => View<T>) {
    this.#parent = parent
    this.#make = make
  }

  /** Shows these items under their keys, in this order; while `isHeld` nothing moves, and new ones stand at the end. */
  show(items: ReadonlyMap<string, T>, { isHeld = false }: { readonly isHeld?: boolean } = {}): void {
    for (const [key, { element }] of this.#views) {
      if (items.has(key)) continue
      element.remove()
      this.#views.delete(key)
    }
    let next = this.#parent.firstElementChild
    for (const [key, item] of items) {
      const { element } = this.#viewOf(key, item)
      if (isHeld && element.parentNode === null) this.#parent.append(element)
      else if (element === next) next = next.nextElementSibling
      else if (!isHeld) this.#parent.insertBefore(element, next)
    }
  }

  #viewOf(key: string, item: T): View<T> {
    const view = this.#views.get(key) ?? this.#make(item)
    view.update(item)
    this.#views.set(key, view)
    return view
  }
}
