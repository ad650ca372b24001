// @ts-check
/** The frame's end of the one meeting between a page and a frame of the simulator (see stripe.js). */

/**
 * Says hello to the page that frames this document and resolves with its first message and the port
 * for all others. Only the parent is heard, and only once.
 * @returns {Promise<{init: any, port: MessagePort}>}
 */
export function meetPage() {
  return new Promise((resolve) => {
    /** @param {MessageEvent} event */
    const hear = (event) => {
      const [port] = event.ports;
      if (event.source !== window.parent || event.data?.stripesim !== 'init' || !port) return;
      window.removeEventListener('message', hear);
      resolve({ init: event.data, port });
    };
    window.addEventListener('message', hear);
    // To anyone: it says nothing but that we are here, and who frames us is not known yet.
    if (window.parent !== window) window.parent.postMessage({ stripesim: 'hello' }, '*');
  });
}

/**
 * The channel on which the fields of one card and the controller talk. Its name is random and known
 * to the page, but only documents of this origin can join it.
 * @param {string} group
 */
export function groupChannel(group) {
  return new BroadcastChannel(`stripesim ${group}`);
}
