/** Drawings. Each is silent: a text beside it says what it means. */
import type { ComponentChildren } from "preact";

const Icon = ({ children }: { readonly children: ComponentChildren }) => (
  <svg
    class="icon"
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="1.8"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    {children}
  </svg>
);

export const Logo = () => (
  <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" fill="#d6452b" />
    <path d="M9 25V7h9l5 3v15z" fill="#fff" />
    <path d="M9 25V7l9 4v18z" fill="#ffd9c9" />
    <circle cx="15.4" cy="18.6" r="1.5" fill="#d6452b" />
  </svg>
);

export const PAGE_ICONS = {
  now: (
    <Icon>
      <path d="M3 12h4l3-8 4 16 3-8h4" />
    </Icon>
  ),
  sales: (
    <Icon>
      <path d="M4 11V4h7l9 9-7 7z" />
      <circle cx="8.5" cy="8.5" r="1.2" />
    </Icon>
  ),
  protection: (
    <Icon>
      <path d="M12 3l8 3v6c0 4.5-3.2 7.7-8 9-4.8-1.3-8-4.5-8-9V6z" />
      <path d="M9 12l2.2 2.2L15.5 10" />
    </Icon>
  ),
  trace: (
    <Icon>
      <circle cx="11" cy="11" r="6.5" />
      <path d="M16 16l4.5 4.5" />
    </Icon>
  ),
  orders: (
    <Icon>
      <path d="M6 3h12v18l-3-2-3 2-3-2-3 2z" />
      <path d="M9.5 8h5M9.5 12h5" />
    </Icon>
  ),
  trail: (
    <Icon>
      <circle cx="12" cy="12" r="8.5" />
      <path d="M12 7.5V12l3 2" />
    </Icon>
  ),
  report: (
    <Icon>
      <path d="M5 3h10l4 4v14H5z" />
      <path d="M9 17v-4M12 17v-7M15 17v-2.5" />
    </Icon>
  ),
} as const;
