import { hydrateRoot } from 'hono/jsx/dom/client'
import { Ask } from './Ask.jsx'

hydrateRoot(document.querySelector('main'), <Ask />)
