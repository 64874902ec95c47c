// A minimal host of MCP Apps: frames the page that it is given, sandboxed and without an origin, and hands its tool calls on to
// `hostCallTool`, which the test puts into this window. Bundled by the test.
import { AppBridge, PostMessageTransport } from '@modelcontextprotocol/ext-apps/app-bridge'

let bridge

/** Shows an App. @param html the page, @param context theme and the like, as a host would tell it */
window.showApp = async (html, context) => {
  const frame = document.createElement('iframe')
  frame.setAttribute('sandbox', 'allow-scripts')
  frame.style.cssText = 'width: 100%; height: 100vh; border: 0'
  document.body.replaceChildren(frame)
  bridge = new AppBridge(
    null,
    { name: 'nightkiln-test-host', version: '1.0.0' },
    { serverTools: {}, updateModelContext: { text: {} } },
    { hostContext: context },
  )
  bridge.oncalltool = (params) => window.hostCallTool(params)
  bridge.onupdatemodelcontext = async (params) => {
    await window.hostToldModel(params)
    return {}
  }
  const ready = new Promise((resolve) => {
    bridge.oninitialized = resolve
  })
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow))
  frame.srcdoc = html
  await ready
}

/** The model called the tool that opens the App. */
window.openedBy = async (given, result) => {
  await bridge.sendToolInput({ arguments: given })
  await bridge.sendToolResult(result)
}

window.changeContext = (context) => bridge.setHostContext(context)
